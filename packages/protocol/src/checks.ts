/**
 * The checks that compare an event with what its presenter said, in the order they are documented.
 * True means suspicious, like Fingerprint's own signals; absent means it cannot be judged.
 */
export const CHECK_NAMES = [
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
] as const;

export type CheckName = (typeof CHECK_NAMES)[number];

/** Checks of one submission, with the two numbers that stand beside them. */
export type Checks = { [name in CheckName]?: boolean } & {
  /** Presented (or received) minus event time, in seconds; negative when the event's clock is ahead. */
  event_age_seconds?: number;
  /** How many submissions have used this event in this flow, this one included. */
  use_count?: number;
};
