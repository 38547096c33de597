import { type Checks, type Context, EVENT_FIELDS } from "@assay/protocol";
import type { Slots } from "./slot-value.ts";

const EVENT_PATHS = Object.keys(EVENT_FIELDS);

/** The place of the submission's `received_at`, in unix ms. Before it stand the event's fields. */
export const RECEIVED_AT = EVENT_PATHS.length;

const CHECKS_AT = RECEIVED_AT + 1;
const CHECKS = [
  "stale",
  "reused",
  "reused_elsewhere",
  "ip_mismatch",
  "linked_id_mismatch",
  "visitor_id_mismatch",
  "origin_mismatch",
  "user_agent_mismatch",
  "origin_not_allowed",
  "app_not_allowed",
  "environment_not_allowed",
  "event_id_mismatch",
  "partial",
  "event_age_seconds",
  "use_count",
] as const satisfies readonly (keyof Checks)[];

const CONTEXT_AT = CHECKS_AT + CHECKS.length;

/** Context fields that conditions may use; all of them are text. */
export const CONTEXT_NAMES = [
  "flow",
  "user_id",
  "reference",
  "ip",
  "origin",
  "user_agent",
  "linked_id",
  "visitor_id",
] as const satisfies readonly (keyof Context)[];

/** The places of all fields that every ruleset knows, by path. They are the same in every table. */
export const FIXED_PLACES: ReadonlyMap<string, number> = new Map([
  ...EVENT_PATHS.map((path, place) => [path, place] as const),
  ...CHECKS.map((name, place) => [`checks.${name}`, CHECKS_AT + place] as const),
  ...CONTEXT_NAMES.map((name, place) => [`context.${name}`, CONTEXT_AT + place] as const),
]);

/** How many places are fixed. */
export const FIXED_COUNT = CONTEXT_AT + CONTEXT_NAMES.length;

/** Puts the checks into their places. Spelt out for speed, as the readers of events are. */
export function readChecks(checks: Checks, values: Slots): void {
  values[CHECKS_AT] = checks.stale;
  values[CHECKS_AT + 1] = checks.reused;
  values[CHECKS_AT + 2] = checks.reused_elsewhere;
  values[CHECKS_AT + 3] = checks.ip_mismatch;
  values[CHECKS_AT + 4] = checks.linked_id_mismatch;
  values[CHECKS_AT + 5] = checks.visitor_id_mismatch;
  values[CHECKS_AT + 6] = checks.origin_mismatch;
  values[CHECKS_AT + 7] = checks.user_agent_mismatch;
  values[CHECKS_AT + 8] = checks.origin_not_allowed;
  values[CHECKS_AT + 9] = checks.app_not_allowed;
  values[CHECKS_AT + 10] = checks.environment_not_allowed;
  values[CHECKS_AT + 11] = checks.event_id_mismatch;
  values[CHECKS_AT + 12] = checks.partial;
  values[CHECKS_AT + 13] = checks.event_age_seconds;
  values[CHECKS_AT + 14] = checks.use_count;
}

/** Puts what the caller observed into its places. */
export function readContextFields(context: Context, values: Slots): void {
  values[CONTEXT_AT] = context.flow;
  values[CONTEXT_AT + 1] = context.user_id;
  values[CONTEXT_AT + 2] = context.reference;
  values[CONTEXT_AT + 3] = context.ip;
  values[CONTEXT_AT + 4] = context.origin;
  values[CONTEXT_AT + 5] = context.user_agent;
  values[CONTEXT_AT + 6] = context.linked_id;
  values[CONTEXT_AT + 7] = context.visitor_id;
}
