import type { Event } from "@assay/protocol";
import type { Ordered } from "./commands.ts";
import { publishedError } from "./published-errors.ts";
import { json, type Reply } from "./reply.ts";

const HUGE_BYTES = 10 * 1024 * 1024;
const TRICKLE_MS = 20;

/** The reply that a command asks for; undefined when this time it asks for nothing. `event` is what would be answered. */
export function misbehave({ misbehaviour, round }: Ordered, event: Event): Reply | undefined {
  switch (misbehaviour.kind) {
    case "not_found":
      return failure("event_not_found");
    case "throttled":
      return misbehaviour.as === "json" ? failure("too_many_requests") : page(429, "429 Too Many Requests");
    case "forbidden":
      return failure(misbehaviour.code);
    case "failing":
      return failure(misbehaviour.status === 500 ? "failed" : "service_unavailable");
    case "slow_loris": {
      const { everyMs = TRICKLE_MS } = misbehaviour;
      return { how: "trickle", status: 200, type: "application/json", start: '{"event_id":"', everyMs };
    }
    case "hang":
      return { how: "never" };
    case "reset":
      return { how: "reset", status: 200, type: "application/json", body: JSON.stringify(event) };
    case "truncated": {
      const body = JSON.stringify(event);
      return { how: "whole", status: 200, type: "application/json", body: body.slice(0, body.length / 2) };
    }
    case "huge":
      return json(200, { ...event, tags: { padding: "x".repeat(HUGE_BYTES) } });
    case "wrong_schema":
      return json(200, misbehaviour.as === "not_an_event" ? { events: [] } : { ...event, ...WRONG_TYPES });
    case "flip_flop":
      if (round % 2 === 0) return undefined;
      return misbehaviour.with === "not_found" ? failure("event_not_found") : json(200, { ...event, ...OTHER_VISITOR });
    case "v3_throttled":
      return json(200, V3_THROTTLED);
    case "answer":
      return json(misbehaviour.status, misbehaviour.body);
  }
}

/** An error as the vendor publishes it; `message` where it has others beside the usual one. */
export function failure(...error: Parameters<typeof publishedError>): Reply {
  const { status, body } = publishedError(...error);
  return json(status, body);
}

const WRONG_TYPES = {
  identification: "visitor",
  ip_address: ["203.0.113.1"],
  bot: true,
  vpn: "yes",
  suspect_score: "12",
};

const OTHER_VISITOR = {
  identification: { visitor_id: "anotherVisitor1other", visitor_found: true },
  ip_address: "198.51.100.7",
  bot: "bad",
  bot_type: "headlessChrome",
};

const V3_THROTTLED = {
  products: {
    identification: { error: { code: "429 Too Many Requests", message: "too many requests" } },
    botd: { error: { code: "TooManyRequests", message: "too many requests" } },
  },
};

function page(status: number, title: string): Reply {
  const body = `<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;
  return { how: "whole", status, type: "text/html", body };
}
