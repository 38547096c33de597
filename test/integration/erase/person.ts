import { anEvent, aToken } from "../../support/events.ts";
import type { Context, Event } from "@assay/protocol";

/** Somebody with all that he may be known by. Every value is long, so that finding it means that it is still there. */
export interface Person {
  readonly user: string;
  readonly visitor: string;
  readonly linkedId: string;
  readonly ip: string;
  readonly reference: string;
  readonly context: Context;
  /** Ids of the events that were made so far. */
  readonly eventIds: readonly string[];
  /** A new event of his. */
  event(over?: Partial<Event>): Event;
}

export function aPerson(ip: string): Person {
  const [user, visitor, linkedId] = [`user-${aToken(20)}`, aToken(20), `linked-${aToken(20)}`];
  const reference = `order-${aToken(20)}`;
  const eventIds: string[] = [];
  return {
    user,
    visitor,
    linkedId,
    ip,
    reference,
    eventIds,
    context: { flow: "login", user_id: user, reference, ip, visitor_id: visitor, linked_id: linkedId },
    event(over = {}) {
      const event = anEvent({
        ip_address: ip,
        ip_info: { v4: { address: ip } },
        linked_id: linkedId,
        identification: { visitor_id: visitor },
        ...over,
      });
      eventIds.push(event.event_id);
      return event;
    },
  };
}

/** All that a person may be found by. */
export function namesOf({ user, visitor, linkedId, ip, reference, eventIds }: Person): string[] {
  return [user, visitor, linkedId, ip, reference, ...eventIds];
}
