import { deflateRawSync } from "node:zlib";
import { openInstallation } from "@assay/ledger";
import { backfillId, type Event, type Verdict } from "@assay/protocol";
import { onTestFinished } from "vitest";
import { assay, assayBundle } from "../../support/assay-command.ts";
import { type AppProcess, startApp } from "../../support/app-process.ts";
import { anEvent, anEventId } from "../../support/events.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { openVendorStack, type VendorStack } from "../../support/vendor-stack.ts";
import { type Archive, openArchive } from "../archive/open-archive.ts";

const HOUR_MS = 3_600_000;

/** An installation with a vendor and an archive. Ends with its test. */
export interface BackfillStage {
  readonly stack: VendorStack;
  readonly archive: Archive;
  /** What `assay backfill` needs. */
  readonly env: Readonly<Record<string, string>>;
  /** Makes events known to the vendor, a second apart, the first of them hours ago. */
  identify(count: number, changes?: Partial<Event>): Event[];
  /** Runs the command for the last day, and reads its JSON. */
  backfill(...args: string[]): Promise<{ exitCode: number; counts: Record<string, unknown>; stderr: string }>;
  /** Starts it in a process that can be killed. */
  start(...args: string[]): Promise<AppProcess>;
  /** Writes every verdict that is in the stream into the archive. */
  archiveAll(): Promise<void>;
  /** Ids of the backfilled submissions that wait for a worker. */
  pending(): Promise<string[]>;
}

export async function openBackfillStage(
  server: PrivatePostgres,
  options: { rps?: number; burst?: number; env?: Record<string, string>; redisUrl?: string } = {},
): Promise<BackfillStage> {
  const { rps = 200, burst = 50, redisUrl } = options;
  const archive = await openArchive(server);
  const stack = await openVendorStack({
    ...(redisUrl === undefined ? {} : { redisUrl }),
    env: { ASSAY_FINGERPRINT_RPS: String(rps), ASSAY_FINGERPRINT_BURST: String(burst), ...options.env },
  });
  onTestFinished(() => stack.stop());
  // As its workers do, which some tests never start.
  await openInstallation(stack.redis, stack.prefix, "ab".repeat(32));
  const events = new Map<string, Event>();
  const env = { ...stack.env, DATABASE_URL: archive.url };
  const range = ["--since", "1d"];
  return {
    stack,
    archive,
    env,
    identify(count, changes = {}) {
      const first = Date.now() - 12 * HOUR_MS;
      return Array.from({ length: count }, (_, n) => {
        const timestamp = first + 1000 * n;
        const event = anEvent({ event_id: anEventId(timestamp), timestamp, ...changes });
        stack.api.add(event);
        events.set(event.event_id, event);
        return event;
      });
    },
    async backfill(...args) {
      const { exitCode, stdout, stderr } = await assay(["backfill", "--json", ...range, ...args], { env });
      const counts: Record<string, unknown> = JSON.parse(stdout);
      return { exitCode, counts, stderr };
    },
    async start(...args) {
      const app = startApp(await assayBundle(), env, ["backfill", "--json", ...range, ...args]);
      onTestFinished(() => app.stop());
      return app;
    },
    async archiveAll() {
      const rows = (await stack.published()).map((verdict) => ({
        type: "verdict" as const,
        tenant: "0",
        verdict: JSON.stringify(verdict),
        pinned: "",
        submission: JSON.stringify({ kind: verdict.kind }),
        event: deflateRawSync(JSON.stringify(events.get(verdict.event_id ?? ""))),
      }));
      for (let from = 0; from < rows.length; from += 200) await archive.writer.write(rows.slice(from, from + 200));
    },
    pending: () => stack.redis.zrange(stack.keys.pending("background"), 0, "-1"),
  };
}

/** The ids under which these are backfilled, sorted. */
export function backfillIds(events: readonly Event[]): string[] {
  return events.map(({ event_id: eventId }) => backfillId("0", eventId)).toSorted();
}

/** The ids of verdicts, sorted. */
export function idsOf(verdicts: readonly Verdict[]): string[] {
  return verdicts.map(({ id }) => id).toSorted();
}
