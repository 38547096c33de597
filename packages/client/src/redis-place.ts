import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { whenReady } from "@assay/ledger";
import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { createGroupCommands } from "./group-commands.ts";
import { joinVerdictGroup } from "./verdict-group.ts";
import type { Place } from "./verdict-sources.ts";
import { warnOfTrimmed } from "./trimmed.ts";
import { wantedBy } from "./verdict-filter.ts";
import type { ConsumeOptions } from "./verdict-stream.ts";

export interface RedisPlaceOptions {
  /** For commands. It stays the caller's to close. */
  readonly redis: Redis;
  /** Opens a connection for blocking reads. */
  readonly connect: () => Redis;
  readonly keys: Keys;
}

const TAKEOVER_AFTER_MS = 60_000;
const RETRY_AFTER_MS = 1000;
/** How long a blocking read may still take when it is to end: longer means that Redis hangs. */
const MAX_LAST_READ_MS = 2000;

/** A place in a group of the stream `verdicts`, with a connection of its own for reading. */
export function takeRedisPlace({ redis, connect, keys }: RedisPlaceOptions, wanted: ConsumeOptions): Place {
  const { group, takeoverAfterMs = TAKEOVER_AFTER_MS } = wanted;
  const consumer = `${hostname()}:${process.pid}:${randomBytes(4).toString("hex")}`;
  const reader = connect();
  // A failed read is reported where it is read.
  reader.on("error", () => undefined);
  const ending = new AbortController();
  const cut = new AbortController();
  const place = joinVerdictGroup({
    group,
    commands: createGroupCommands({ redis, reader, keys, group, consumer }),
    consumer,
    wants: wantedBy(wanted.filter ?? {}),
    from: wanted.from ?? "now",
    takeoverAfterMs,
    retryAfterMs: wanted.retryAfterMs ?? RETRY_AFTER_MS,
    onTrimmed: wanted.onTrimmed ?? warnOfTrimmed,
    ...(wanted.archive === undefined ? {} : { archive: wanted.archive }),
    tenant: keys.tenant,
    cut: cut.signal,
    now: () => Date.now(),
  });
  return {
    ready: whenReady(redis, ending.signal).catch(() => undefined),
    group: place,
    signal: ending.signal,
    async stop(work) {
      ending.abort();
      const forced = setTimeout(() => cut.abort(), MAX_LAST_READ_MS);
      await work;
      await place.stop();
      clearTimeout(forced);
      reader.disconnect();
    },
  };
}
