import type { Trimmed, VerdictArchive } from "@assay/client";
import { readEnvelope } from "@assay/protocol";
import { eventually } from "../../support/eventually.ts";
import { type ArchivedVerdict, archiveOf } from "./archive-of.ts";
import { openStage, QUICK, type Stage } from "./stage.ts";

/** A consumer, what it was given, and what it was told of. */
interface Consuming {
  readonly seen: readonly string[];
  readonly trimmed: readonly Trimmed[];
  stop(): Promise<void>;
}

/** A stage whose stream is trimmed, and archives of what it held. */
export interface ArchivedStage extends Stage {
  /** What the stream holds at this moment, as an archive has it. */
  rowsNow(without?: readonly string[]): Promise<ArchivedVerdict[]>;
  archived(without?: readonly string[]): Promise<VerdictArchive>;
  /** A consumer that handles one verdict after the other. */
  consuming(
    archive: VerdictArchive | undefined,
    handler?: (id: string) => void | Promise<void>,
    retryAfterMs?: number,
  ): Consuming;
  /** Trims the stream to the last few. */
  leave(count: number): Promise<void>;
  /** A group that has seen one verdict; then so many were published, while it was away. Resolves with their ids. */
  leftBehind(count: number): Promise<string[]>;
}

export const away: VerdictArchive = { published: () => Promise.reject(new Error("Postgres is away.")) };

/** Opens a stage of its own for a test. */
export async function openArchivedStage(url: string): Promise<ArchivedStage> {
  const stage = await openStage(url);
  const { redis, keys } = stage.installation;

  async function rowsNow(without: readonly string[] = []): Promise<ArchivedVerdict[]> {
    return (await redis.xrange(keys.verdicts(), "-", "+")).flatMap(([streamId, [, json = ""]]) => {
      const verdict = readEnvelope(json)?.data;
      return without.includes(verdict?.id ?? "") ? [] : [{ streamId, verdict: JSON.stringify(verdict) }];
    });
  }

  const consuming: ArchivedStage["consuming"] = (archive, handler = () => undefined, retryAfterMs = 10) => {
    const seen: string[] = [];
    const trimmed: Trimmed[] = [];
    const options = {
      ...QUICK,
      ...(archive === undefined ? {} : { archive }),
      retryAfterMs,
      concurrency: 1,
      onTrimmed: (each: Trimmed) => trimmed.push(each),
    };
    const consumer = stage.aClient().consume(options, ({ id }) => {
      seen.push(id);
      return handler(id);
    });
    return { seen, trimmed, stop: () => consumer.stop() };
  };

  return {
    ...stage,
    rowsNow,
    consuming,
    archived: async (without) => archiveOf(await rowsNow(without)),
    async leave(count) {
      await redis.xtrim(keys.verdicts(), "MAXLEN", count);
    },
    async leftBehind(count) {
      const first = consuming(away);
      await stage.publish("allow");
      await eventually(async () => first.seen.length === 1 && (await stage.allAcknowledged()));
      await first.stop();
      return await stage.publish(...Array.from({ length: count }, () => "allow" as const));
    },
  };
}
