import type { Work } from "@assay/ledger";
import { type Action, readTestEvent } from "@assay/protocol";
import type { Decision } from "@assay/rules";
import type { Sourced } from "./sourced.ts";

/** A test event that asks for an action. */
export interface Tested {
  readonly status: "tested";
  readonly action: Action;
}

const SLOW_MS = 5000;

/** What stands in the place of a source for a test event: it asks nobody. `now` is unix ms. */
export function sourceTest(
  { meta, receivedAt }: Work,
  now: number,
): Extract<Sourced, { status: "undecided" | "wait" }> | Tested {
  const asked = readTestEvent(meta.event_id ?? "");
  switch (asked?.kind) {
    case "action":
      return { status: "tested", action: asked.action };
    case "undecided":
      return { status: "undecided", code: asked.code };
    case "slow": {
      const until = receivedAt + SLOW_MS;
      return now < until
        ? { status: "wait", why: "test_slow", until, spendsRetry: false }
        : { status: "tested", action: "allow" };
    }
    // A later version's door took it.
    case undefined:
      return { status: "undecided", code: "internal_error" };
  }
}

/** The decision that a test event asks for, whatever the ruleset says. No rule is asked. */
export function decideTest({ meta }: Work, action: Action): Decision {
  return {
    action,
    score: 0,
    reasons: [{ rule: "test", action, message: "Test event", evidence: { event_id: meta.event_id } }],
    shadow: [],
    shadowUnknown: [],
    unknown: [],
    coverage: { rules: 0, judged: 0 },
    invalidFacts: [],
  };
}
