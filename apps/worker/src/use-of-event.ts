import { createHmac } from "node:crypto";
import type { Use } from "@assay/ledger";
import { type Checks, type Context, type Event, parseAddress } from "@assay/protocol";
import type { Ruleset } from "@assay/rules";
import { isBound } from "./checks.ts";

const HOUR_MS = 3_600_000;

/** The claim a presented submission makes on its event. `hashKey` is the installation's own. */
export function useOfEvent(submission: {
  id: string;
  event: Event;
  context: Context;
  checks: Checks;
  ruleset: Ruleset;
  hashKey: string;
}): Use {
  const { id, event, context, checks, ruleset, hashKey } = submission;
  const hash = (kind: string, value: string | undefined) =>
    value === undefined
      ? ""
      : createHmac("sha256", hashKey).update(`${kind}:${value}`).digest("base64url").slice(0, 16);
  const network = context.ip === undefined ? undefined : (parseAddress(context.ip)?.network ?? context.ip);
  return {
    id,
    eventId: event.event_id,
    flow: ruleset.settings.eventUse === "once" ? "*" : (context.flow ?? "-"),
    bound: isBound(checks),
    ipHash: hash("ip", network),
    userAgentHash: hash("ua", context.user_agent),
    userIdHash: hash("user", context.user_id),
    // Long after the event has become stale everywhere: a replay later than that is told by its age.
    ttlMs: Math.max(HOUR_MS, 10 * ruleset.largestMaxEventAgeMs),
  };
}
