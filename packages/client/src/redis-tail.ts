import { setTimeout as pause } from "node:timers/promises";
import {
  decodePlace,
  encodePlace,
  fillGap,
  followStream,
  isArchiveBehind,
  type PlacedEntry,
  streamEnd,
  type StreamPlace,
  whenReady,
} from "@assay/ledger";
import { readEnvelope } from "@assay/protocol";
import { unknownPlace } from "./errors.ts";
import type { RedisPlaceOptions } from "./redis-place.ts";
import { warnOfTrimmed } from "./trimmed.ts";
import { wantedBy } from "./verdict-filter.ts";
import type { TailedVerdict, TailOptions } from "./verdict-stream.ts";

const PAUSE_MS = 1000;

/** What comes by in the stream `verdicts`, by a connection of its own for reading, until `signal` aborts. */
export async function* tailRedis(
  { redis, connect, keys }: RedisPlaceOptions,
  { from = "now", filter = {}, archive, onTrimmed = warnOfTrimmed, onError = () => undefined }: TailOptions,
  signal: AbortSignal,
): AsyncGenerator<TailedVerdict, void> {
  const given = from === "now" ? undefined : decodePlace(from);
  if (from !== "now" && given === undefined) throw unknownPlace("from");
  const wants = wantedBy(filter);
  const isBehind = (entryId: string) => isArchiveBehind(redis, keys, entryId);
  await whenReady(redis, signal).catch(() => undefined);
  const after = given ?? (await endOf());
  if (after === undefined || signal.aborted) return;
  const reader = connect();
  // A failed read is reported where it is read.
  reader.on("error", () => undefined);
  try {
    for await (const { gap, begin, entries } of followStream({ redis, reader, keys, after, signal, onError })) {
      if (gap !== undefined) {
        for await (const { notice, entries: archived } of fillGap(archive, keys.tenant, gap, {
          behind: begin,
          isBehind,
        })) {
          if (notice !== undefined) onTrimmed(notice);
          else yield* wanted(archived);
          if (signal.aborted) return;
        }
      }
      yield* wanted(entries);
      if (signal.aborted) return;
    }
  } finally {
    reader.disconnect();
  }

  function* wanted(entries: readonly PlacedEntry[]): Generator<TailedVerdict, void> {
    for (const { json = "", place } of entries) {
      const verdict = readOrTell(json);
      if (signal.aborted) return;
      if (verdict !== undefined && wants(verdict)) yield { verdict, id: encodePlace(place) };
    }
  }

  async function endOf(): Promise<StreamPlace | undefined> {
    while (!signal.aborted) {
      try {
        return await streamEnd(redis, keys);
      } catch (error) {
        onError(error);
        await pause(PAUSE_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return undefined;
  }

  function readOrTell(json: string) {
    try {
      return readEnvelope(json)?.data;
    } catch (error) {
      onError(error);
      return undefined;
    }
  }
}
