import { envelopeOf, type Verdict } from "@assay/protocol";

/** How much of a verdict an endpoint gets, from the least to all. */
export const DELIVERED_FIELDS = ["minimal", "reasons", "full"] as const;

export type DeliveredFields = (typeof DELIVERED_FIELDS)[number];

/**
 * What is sent: the envelope that every carrier brings, with as much of the verdict as is wanted. `minimal` is the
 * action and what the verdict is about; `reasons` adds the score and the rules that fired, without a value of the event;
 * `full` is all of it. The same verdict gives the same text.
 */
export function deliveryBody(verdict: Verdict, fields: DeliveredFields): string {
  return JSON.stringify({ ...envelopeOf(verdict), data: reduced(verdict, fields) });
}

function reduced(verdict: Verdict, fields: DeliveredFields): object {
  switch (fields) {
    case "minimal":
      return minimal(verdict);
    case "reasons":
      return { ...minimal(verdict), ...withoutValues(verdict) };
    case "full":
      return verdict;
  }
}

// What is undefined is left out of JSON. The user's id and the visitor's are left out too: flow and reference tell a
// backend which of its own this is.
function minimal({ schema, id, kind, action, received_at, decided_at, ...rest }: Verdict): object {
  const { event_id, context, undecided, late, redrive_of } = rest;
  const about = context === undefined ? undefined : { flow: context.flow, reference: context.reference };
  return { schema, id, kind, action, received_at, decided_at, event_id, context: about, undecided, late, redrive_of };
}

function withoutValues({ score, reasons, ruleset, degraded, would_be }: Verdict): object {
  const fired = reasons.map((reason) => ({
    rule: reason.rule,
    action: reason.action,
    score: reason.score,
    message: reason.message,
  }));
  return { score, reasons: fired, ruleset, degraded, would_be };
}
