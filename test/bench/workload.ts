import { type SealedKey, seal } from "@assay/fingerprint";
import { type Context, type Event, submissionId } from "@assay/protocol";
import { aBot, aToken, anAddress, anEvent } from "../support/events.ts";

/** One sealed result and what the caller's backend saw beside it. */
export interface Work {
  readonly id: string;
  readonly eventId: string;
  readonly sealed: Uint8Array;
  readonly context: Context;
}

// Mostly ordinary visitors. Who hides behind a proxy was also seen at another address.
const BOT_EVERY = 20;
const PROXY_EVERY = 10;

/** Fresh work: no id and no event is ever used twice. */
export function someWork(count: number, key: SealedKey): Work[] {
  return Array.from({ length: count }, (_, index) => {
    const event = eventAt(index);
    return { id: anId(), eventId: event.event_id, sealed: seal(event, key), context: contextOf(event) };
  });
}

/** The event at a place of the mix. Every call makes another event of that sort. */
export function eventAt(index: number): Event {
  if (index % BOT_EVERY === 0) return aBot();
  if (index % PROXY_EVERY === 1) return anEvent({ vpn: true, proxy: true, suspect_score: 24 });
  return anEvent();
}

/** What a backend sends beside the event it was given. */
export function contextOf(event: Event): Context {
  return {
    flow: "login",
    user_id: aToken(12),
    ip: event.proxy === true ? anAddress().replace("203.0.113", "198.51.100") : (event.ip_address ?? anAddress()),
    user_agent: event.user_agent ?? "",
    origin: "https://shop.example",
  };
}

function anId(): string {
  return submissionId("0", "default", aToken(20));
}
