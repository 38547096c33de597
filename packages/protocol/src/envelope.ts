import { isRecord } from "./context.ts";
import type { Verdict } from "./verdict.ts";

/** What every carrier brings: the `verdicts` stream (its field `e`), and later SSE and webhooks. Other types follow. */
export interface VerdictEnvelope {
  readonly type: "verdict.decided";
  /** Submission id: dedupe by it, delivery is at least once. */
  readonly id: string;
  /** Unix ms. */
  readonly at: number;
  readonly data: Verdict;
}

const REDELIVERED = "verdict.redelivered";

/** Wraps a verdict for the stream. */
export function envelopeOf(verdict: Verdict): VerdictEnvelope {
  return { type: "verdict.decided", id: verdict.id, at: verdict.decided_at, data: verdict };
}

/** The envelope of a verdict's JSON, as text; undefined for what is no JSON of a verdict. */
export function envelopeText(json: string): string | undefined {
  try {
    const data: unknown = JSON.parse(json);
    if (!isRecord(data)) return undefined;
    const envelope = { type: "verdict.decided", id: data["id"], at: data["decided_at"], data };
    return isVerdictEnvelope(envelope) ? JSON.stringify(envelope) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What a carrier brought, or undefined for a type this version does not know, and for a verdict that is delivered again
 * to another `group` than the reader's. A verdict of a newer schema passes as it is, with every field: its `schema`
 * tells. Throws a TypeError or SyntaxError on what is no envelope.
 */
export function readEnvelope(text: string, group?: string): VerdictEnvelope | undefined {
  const envelope: unknown = JSON.parse(text);
  if (!isRecord(envelope) || typeof envelope["type"] !== "string") throw new TypeError("This is no envelope.");
  const decided = envelope["type"] === REDELIVERED ? originalOf(envelope, group) : envelope;
  if (decided?.["type"] !== "verdict.decided") return undefined;
  if (!isVerdictEnvelope(decided)) throw new TypeError("This envelope holds no verdict.");
  return decided;
}

/** Wraps an envelope to be delivered once more to one group alone: all others, of any version, pass over its type. */
export function redeliveryOf(envelope: Record<string, unknown>, group: string): Record<string, unknown> {
  return { ...envelope, type: REDELIVERED, group };
}

function originalOf(
  envelope: Record<string, unknown>,
  reader: string | undefined,
): Record<string, unknown> | undefined {
  const { group, ...rest } = envelope;
  return reader !== undefined && group === reader ? { ...rest, type: "verdict.decided" } : undefined;
}

// What every version of the schema has, and what filters and callers count on. The rest is its writer's to keep.
function isVerdictEnvelope(envelope: unknown): envelope is VerdictEnvelope {
  if (!isRecord(envelope) || !isRecord(envelope["data"])) return false;
  const { schema, id, kind, action, context = {} } = envelope["data"];
  const areTexts = [schema, id, kind, action].every((value) => typeof value === "string");
  return areTexts && /^assay\.verdict\/\d+$/.test(String(schema)) && envelope["id"] === id && isRecord(context);
}
