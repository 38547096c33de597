import type { Checks, Context, Event } from "@assay/protocol";
import { anEvent } from "../../support/events.ts";

/** All that a rule may look at. */
export interface Said {
  readonly event: Event;
  readonly checks: Checks;
  readonly context: Context;
}

/** The same as one object, as engines without Assay's input take it. */
export type Flat = Readonly<Record<string, unknown>>;

/** A customer's browser behind a VPN. What only phones say is absent, as it is in life. */
export function someEvents(count: number): Said[] {
  const said: Said = {
    event: anEvent({
      ip_address: "203.0.113.7",
      vpn: true,
      vpn_methods: {
        timezone_mismatch: true,
        public_vpn: false,
        auxiliary_mobile: false,
        os_mismatch: false,
        relay: false,
      },
      suspect_score: 24,
    }),
    checks: {
      stale: false,
      reused: false,
      ip_mismatch: true,
      user_agent_mismatch: false,
      origin_mismatch: false,
      event_age_seconds: 2,
    },
    context: {
      flow: "checkout",
      user_id: "4711",
      ip: "198.51.100.9",
      facts: { order_value_eur: 129.9, account_age_days: 800, orders: 12, delivery: "parcel" },
    },
  };
  // Each is an object of its own, made as a worker makes it: from JSON.
  const text = JSON.stringify(said);
  return Array.from({ length: count }, () => JSON.parse(text));
}

/** One object with the event's signals at its top. */
export function flat({ event, checks, context }: Said): Flat {
  return { ...event, checks, context, facts: context.facts };
}
