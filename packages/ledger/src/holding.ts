import { inflateRawSync } from "node:zlib";
import { isRecord, isTestEventId, MAX_EVENT_BYTES } from "@assay/protocol";

/** Where Redis keeps what may be about somebody. */
export const STORES = [
  "submissions",
  "verdicts",
  "outcomes",
  "events",
  "claims",
  "event_lists",
  "reference_lists",
  "lookups",
  "counters",
  "deliveries",
  "verdict_stream",
  "archive_stream",
  "dead_letters",
] as const;

export type Store = (typeof STORES)[number];

/** One thing that Redis holds and that may be about somebody. */
export interface Holding {
  readonly store: Store;
  /** Of Redis. */
  readonly key: string;
  /** Its place in a stream, or its field. */
  readonly entryId?: string;
  /** What it says, as JSON was read. */
  readonly documents: readonly unknown[];
  /** Ids of the submissions that it belongs to. */
  readonly submissionIds: readonly string[];
  /** Ids of all events that it names. */
  readonly eventIds: readonly string[];
  /** Of these, the ones that it is about. Whoever presents a seal may claim the id of another's event. */
  readonly ownEventIds: readonly string[];
  /** Bytes of what it holds, for a stream that is bounded by them. */
  readonly bytes?: number;
  /** What a counter has counted, unless that is much. */
  readonly members?: readonly string[];
}

/** A holding of what documents say, and of the ids that its key names. */
export function holdingOf(
  place: Pick<Holding, "store" | "key" | "entryId" | "bytes">,
  documents: readonly unknown[],
  named: { readonly submissionIds?: readonly string[]; readonly eventIds?: readonly string[] } = {},
): Holding {
  const submissionIds = new Set(named.submissionIds);
  const eventIds = new Set(named.eventIds);
  const ownEventIds = new Set(named.eventIds);
  // A million of these are made: each document is looked at once.
  const note = (one: Readonly<Record<string, unknown>>) => {
    const [id, eventId] = [textOf(one, "id"), textOf(one, "event_id") ?? textOf(one, "requestId")];
    if (id !== undefined) submissionIds.add(id);
    if (eventId === undefined || isTestEventId(eventId)) return;
    eventIds.add(eventId);
    if (!isClaim(one)) ownEventIds.add(eventId);
  };
  for (const one of documents) {
    if (!isRecord(one)) continue;
    note(one);
    // A verdict stands in an envelope.
    if (isRecord(one["data"])) note(one["data"]);
  }
  return {
    ...place,
    documents,
    submissionIds: [...submissionIds],
    eventIds: [...eventIds],
    ownEventIds: [...ownEventIds],
  };
}

/** Whether it is all that an erasure leaves of a submission: its verdict says so, and names no event, or its meta. */
export function isLeft({ documents }: Holding): boolean {
  return documents.some((one) => {
    const verdict = isRecord(one) && isRecord(one["data"]) ? one["data"] : one;
    if (!isRecord(verdict)) return false;
    // That of a test event may say the same of somebody who was not erased.
    const isErased = textOf(verdict["undecided"], "code") === "event_erased" && verdict["event_id"] === undefined;
    return verdict["erased"] === true || isErased;
  });
}

/** The documents of bytes that may be JSON, plain or deflated; none for a seal. */
export function readDocuments(bytes: Uint8Array | null | undefined): unknown[] {
  if (bytes === null || bytes === undefined || bytes.length === 0) return [];
  return [parse(bytes) ?? parse(inflate(bytes))].filter((one) => one !== undefined);
}

function parse(bytes: Uint8Array | undefined): unknown {
  if (bytes?.[0] !== 0x7b) return undefined;
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
  } catch {
    return undefined;
  }
}

function inflate(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return inflateRawSync(bytes, { maxOutputLength: 2 * MAX_EVENT_BYTES });
  } catch {
    return undefined;
  }
}

/** Of a submission with a seal, and no event from in there: its event id is only what the caller says. */
function isClaim(one: unknown): boolean {
  return textOf(one, "kind") === "sealed" && textOf(one, "event_source") === undefined;
}

function textOf(one: unknown, name: string): string | undefined {
  const value = isRecord(one) ? one[name] : undefined;
  return typeof value === "string" ? value : undefined;
}
