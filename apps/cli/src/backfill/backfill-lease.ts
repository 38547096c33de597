import { holdLease, releaseLease } from "@assay/ledger";
import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { CommandError, EXIT } from "../report.ts";

/** The right to backfill a tenant, which one process has at a time. */
export interface BackfillLease {
  /** Throws a CommandError when another process has it by now. */
  check(): void;
  /** Gives it back. Safe to call twice. */
  stop(): Promise<void>;
}

const TTL_MS = 10_000;
const RENEW_MS = 3000;

/** Takes the lease; one that a killed process left behind is waited for. Throws a CommandError when it is in use. */
export async function takeBackfillLease(
  redis: Redis,
  keys: Keys,
  { holder, delay }: { readonly holder: string; readonly delay: (ms: number) => Promise<unknown> },
): Promise<BackfillLease> {
  const key = keys.backfillLease();
  const hold = () => holdLease(redis, key, holder, TTL_MS);
  if (!(await hold())) {
    await delay(Math.max(0, await redis.pttl(key)) + 50);
    if (!(await hold())) throw inUse();
  }
  let isLost = false;
  const renewing = setInterval(() => {
    hold().then(
      (isHeld) => (isLost ||= !isHeld),
      // Redis is away, and whatever asks it next says so.
      () => undefined,
    );
  }, RENEW_MS);
  renewing.unref();
  return {
    check() {
      if (isLost) throw inUse();
    },
    async stop() {
      clearInterval(renewing);
      await releaseLease(redis, key, holder);
    },
  };
}

function inUse(): CommandError {
  return new CommandError(
    EXIT.unavailable,
    "Another backfill of this tenant is under way. Wait for its end, or end it, and run this again.",
  );
}
