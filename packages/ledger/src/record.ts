import { type Context, isRecord, type Kind, KINDS, type Label, type Lane, LANES } from "@assay/protocol";

/**
 * The fields of `a:<id>`, the record of one submission and the only authority on it.
 *
 * Until it is decided:
 *   d  digest of the content          m  meta (JSON)           p  payload (raw bytes)
 *   r  received_at, unix ms           l  lane                  t  tries
 *   k  token of the try under way     x  tries alone           n  retries spent
 *   w  1 where somebody waits for it
 *   sw why it is snoozed              su until when, unix ms   i  claim, pinned by the first try that had the event
 *   ic counters, pinned by the first try that asked for each: `<definition>=<value>,`, with a `w` behind the value
 *      while the counter is younger than its window
 * From the decision on also:
 *   s  id in the stream               c  action                vd digest of the verdict    at decided_at, unix ms
 *   vi what the verdict was made from: its pinned inputs and, if it is undecided, why
 * What became of it, in both times:
 *   oc plan of its outcome counters (JSON list of PlannedCounter), where its ruleset has any
 *   o  outcomes as they were told, one line of JSON each, the latest 32: a plan that comes later counts them
 *   ol the last label
 *   ra the submission that was redriven from it
 */
export interface Meta {
  readonly kind: Kind;
  readonly event_id?: string;
  readonly ruleset?: string;
  readonly context?: Context;
  readonly test?: true;
  readonly traceparent?: string;
}

/** Reads the meta that `accept` wrote. Undefined for anything else. */
export function readMeta(json: string): Meta | undefined {
  try {
    const meta: unknown = JSON.parse(json);
    return isMeta(meta) ? meta : undefined;
  } catch {
    return undefined;
  }
}

// Written by `accept` alone, from a submission that was read; the kind proves that it is such a record.
function isMeta(value: unknown): value is Meta {
  return isRecord(value) && KINDS.some((kind) => kind === value["kind"]);
}

/** An outcome as a record keeps it. */
export interface ToldOutcome {
  readonly outcome?: string;
  readonly label?: Label;
  /** Unix ms. */
  readonly occurred_at: number;
}

/** Reads the lines that `report` wrote, and nobody else. */
export function readToldOutcomes(lines: string): ToldOutcome[] {
  const told: ToldOutcome[] = JSON.parse(`[${lines.trim().replaceAll("\n", ",")}]`);
  return told;
}

/** Reads a lane as a record names it. Throws on any other text. */
export function readLane(name: string): Lane {
  const lane = LANES.find((known) => known === name);
  if (lane === undefined) throw new TypeError("A ledger record names a lane that does not exist.");
  return lane;
}
