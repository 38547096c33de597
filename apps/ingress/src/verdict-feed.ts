import {
  encodePlace,
  followStream,
  type Gap,
  isArchiveBehind,
  type PlacedEntry,
  readOn,
  streamEnd,
  type StreamPlace,
} from "@assay/ledger";
import { type Keys, ProblemError, readEnvelope, type Verdict } from "@assay/protocol";
import type { Redis } from "ioredis";
import { REDIS_ANSWER_MS } from "./accept-arrival.ts";
import { within } from "./within.ts";

/** A verdict on its way to whoever wants it. */
export interface FedVerdict {
  readonly verdict: Verdict;
  readonly place: StreamPlace;
  /** The event as it is sent: the same for all. */
  readonly frame: string;
}

/** What was read of the stream. */
export interface FedBatch {
  /** What was trimmed before these. */
  readonly gap?: Gap;
  /** Behind the gap and before these. */
  readonly begin: StreamPlace;
  readonly verdicts: readonly FedVerdict[];
  /** Behind these, and behind what is not for anybody. */
  readonly place: StreamPlace;
  /** Whether there may be more at this moment. */
  readonly isFull: boolean;
}

/** The verdicts of one tenant as they are made: read once in this process, however many listen. */
export interface VerdictFeed {
  /** Rejects with a ProblemError `unavailable`. */
  open(): Promise<OpenFeed>;
}

/** One listener's share of the feed. Reading ends with the last one. */
export interface OpenFeed {
  /** How far the feed has come. */
  place(): StreamPlace;
  /** Reads behind a place, for one that has yet to catch up. Throws what Redis throws. */
  read(after: StreamPlace): Promise<FedBatch>;
  /** Whether something of before this entry may still be on its way into the archive. Throws what Redis throws. */
  isArchiveBehind(entryId: string): Promise<boolean>;
  /** Calls `listener` with all that comes from this moment on. */
  join(listener: (batch: FedBatch) => void): void;
  /** Calls it no more. */
  part(): void;
  /** Safe to call twice. */
  leave(): void;
}

export interface VerdictFeedOptions {
  /** For commands. */
  readonly redis: Redis;
  /** Opens a connection for blocking reads. */
  readonly connect: () => Redis;
  readonly keys: Keys;
  /** Learns of each read that failed: it is repeated. */
  readonly onError: (error: unknown) => void;
}

interface Following {
  place: StreamPlace;
  readonly listeners: Set<(batch: FedBatch) => void>;
  end(): void;
}

/** Opens nothing before it is asked to. */
export function createVerdictFeed({ redis, connect, keys, onError }: VerdictFeedOptions): VerdictFeed {
  let shares = 0;
  let following: Promise<Following> | undefined;

  async function follow(): Promise<Following> {
    const place = await within(streamEnd(redis, keys), REDIS_ANSWER_MS, () => new Error("Command timed out"));
    const ending = new AbortController();
    const reader = connect();
    // A failed read is reported where it is read.
    reader.on("error", () => undefined);
    const current: Following = {
      place,
      listeners: new Set(),
      end() {
        ending.abort();
        reader.disconnect();
      },
    };
    const batches = followStream({ redis, reader, keys, after: place, signal: ending.signal, onError });
    void deliver(batches, current);
    return current;
  }

  function leave(): void {
    if (--shares > 0) return;
    void following?.then(
      (current) => current.end(),
      () => undefined,
    );
    following = undefined;
  }

  return {
    async open() {
      shares++;
      following ??= follow();
      let current: Following;
      try {
        current = await following;
      } catch (cause) {
        leave();
        throw new ProblemError("unavailable", "Redis did not answer. Repeat the request.", { cause });
      }
      let listening: ((batch: FedBatch) => void) | undefined;
      let isHeld = true;
      return {
        place: () => current.place,
        read: async (after) => fedBatch(await readOn(redis, keys, after)),
        isArchiveBehind: (entryId) => isArchiveBehind(redis, keys, entryId),
        join(listener) {
          listening = listener;
          current.listeners.add(listener);
        },
        part() {
          if (listening !== undefined) current.listeners.delete(listening);
        },
        leave() {
          if (listening !== undefined) current.listeners.delete(listening);
          if (isHeld) leave();
          isHeld = false;
        },
      };
    },
  };
}

async function deliver(batches: ReturnType<typeof followStream>, current: Following): Promise<void> {
  for await (const batch of batches) {
    const fed = fedBatch(batch);
    current.place = fed.place;
    for (const listener of current.listeners) listener(fed);
  }
}

function fedBatch({ entries, ...rest }: Awaited<ReturnType<typeof readOn>>): FedBatch {
  return { ...rest, verdicts: entries.flatMap(fedVerdict) };
}

/** What cannot be read, or is of a type that this version does not know, is for nobody: groups lay it aside. */
export function fedVerdict({ json = "", place }: PlacedEntry): FedVerdict[] {
  const envelope = readOrNothing(json);
  if (envelope === undefined) return [];
  // A line of its own for each line of the text, of which there is one unless somebody wrote it by hand.
  const data = json.split(/\r\n|\n|\r/).join("\ndata: ");
  const frame = `id: ${encodePlace(place)}\nevent: ${envelope.type}\ndata: ${data}\n\n`;
  return [{ verdict: envelope.data, place, frame }];
}

function readOrNothing(json: string): ReturnType<typeof readEnvelope> {
  try {
    return readEnvelope(json);
  } catch {
    return undefined;
  }
}
