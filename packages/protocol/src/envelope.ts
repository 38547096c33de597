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

/** Wraps a verdict for the stream. */
export function envelopeOf(verdict: Verdict): VerdictEnvelope {
  return { type: "verdict.decided", id: verdict.id, at: verdict.decided_at, data: verdict };
}

/** A stream entry's envelope, or undefined for a type this version does not know. Throws on what is not JSON. */
export function readEnvelope(text: string): VerdictEnvelope | undefined {
  const envelope: { type?: unknown } = JSON.parse(text);
  return isVerdictEnvelope(envelope) ? envelope : undefined;
}

// Written by our own publish script only, so the type field is proof enough.
function isVerdictEnvelope(envelope: { type?: unknown }): envelope is VerdictEnvelope {
  return envelope.type === "verdict.decided";
}
