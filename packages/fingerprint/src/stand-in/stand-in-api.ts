import { createServer, type IncomingMessage } from "node:http";
import { type Event, isEventId, isRecord, secretFingerprint } from "@assay/protocol";
import { type CommandOptions, createCommands } from "./commands.ts";
import { anEvent } from "./event.ts";
import { failure, misbehave } from "./misbehave.ts";
import type { Misbehaviour } from "./misbehaviour.ts";
import { json, type Reply, send } from "./reply.ts";
import { searchEvents } from "./search.ts";
import { createTokenBucket, type RateLimit, type TokenBucket } from "./token-bucket.ts";

/** One request, as the stand-in saw it. */
export interface Call {
  /** The event id in the path; empty where there is none. */
  readonly eventId: string;
  /** There where it searches. */
  readonly isSearch?: true;
  /** When it came, in ms of `performance.now()`. */
  readonly at: number;
  /** First 8 hex characters of the API key's SHA-256; absent without a key. */
  readonly keyId?: string;
  /** What it is answered with; absent where no answer comes. */
  readonly status?: number;
}

export interface StandInOptions {
  /** Port on loopback; 0 (the default) takes any. */
  readonly port?: number;
  /** The API keys that it knows; any when absent. */
  readonly apiKeys?: readonly string[];
  /** For each key; no limit when absent. */
  readonly rateLimit?: RateLimit;
  /** Rulesets by id, and what each says of every event. */
  readonly rulesets?: Readonly<Record<string, "allow" | "block">>;
  /** Answers an id that it does not know with an ordinary event, identified when the id says. Default: with a 404. */
  readonly inventsEvents?: boolean;
  /** Told of every request, when it is decided what becomes of it. */
  readonly onCall?: (call: Call) => void;
}

/** A stand-in for the vendor's Server API v4 on loopback: `GET /v4/events/{event_id}`, the search `GET /v4/events`, and nothing else. */
export interface StandInApi {
  /** For `ASSAY_FINGERPRINT_API_URL`. */
  readonly url: string;
  /** Makes an event known, in the place of one with the same id. */
  add(event: Event): void;
  /**
   * Misbehaves at the next request that is within the rate limit and brings a key that it knows. Several commands are
   * obeyed in order; one without an end ends with the next one.
   */
  misbehave(misbehaviour: Misbehaviour, options?: CommandOptions): void;
  /** Forgets commands: those for an event, or all. */
  behave(eventId?: string): void;
  /** Cuts every connection. Safe to call twice. */
  stop(): Promise<void>;
}

/** Most invented events that are remembered, so that each id is answered alike. */
const MAX_INVENTED = 10_000;

/** Starts a stand-in. Rejects with Node's own error when the port is taken. */
export async function startStandInApi(options: StandInOptions = {}): Promise<StandInApi> {
  const events = new Map<string, Event>();
  const invented = new Map<string, Event>();
  const buckets = new Map<string, TokenBucket>();
  const commands = createCommands();

  // Who asks, how often, what was commanded, and then the event.
  function answer({ what, eventId, query, apiKey }: Asked): Reply {
    if (what === undefined) return { how: "whole", status: 404, type: "text/plain", body: "404 page not found\n" };
    if (apiKey === undefined) return failure("secret_api_key_required");
    if (options.apiKeys?.includes(apiKey) === false) return failure("secret_api_key_not_found");
    if (!withinLimit(apiKey)) return failure("too_many_requests");
    const ordered = commands.next(eventId);
    const misbehaved = ordered && misbehave(ordered, events.get(eventId) ?? anEventOf(eventId));
    if (misbehaved !== undefined) return misbehaved;
    if (what === "search") return searchEvents(events.values(), query, Date.now());
    return answerWell(eventId, query.get("ruleset_id") ?? undefined);
  }

  function answerWell(eventId: string, rulesetId: string | undefined): Reply {
    if (!isEventId(eventId)) return failure("request_cannot_be_parsed");
    const event = events.get(eventId) ?? invent(eventId);
    if (event === undefined) return failure("event_not_found");
    const { rule_action: ruleAction, ...rest } = event;
    if (rulesetId === undefined) return json(200, rest);
    const type = Object.hasOwn(options.rulesets ?? {}, rulesetId) ? options.rulesets?.[rulesetId] : undefined;
    if (type !== undefined) return json(200, { ...rest, rule_action: { ruleset_id: rulesetId, ...ACTIONS[type] } });
    return isOf(ruleAction, rulesetId) ? json(200, event) : failure("ruleset_not_found");
  }

  function withinLimit(apiKey: string): boolean {
    if (options.rateLimit === undefined) return true;
    const bucket = buckets.get(apiKey) ?? createTokenBucket(options.rateLimit, () => performance.now());
    buckets.set(apiKey, bucket);
    return bucket.take();
  }

  function invent(eventId: string): Event | undefined {
    if (options.inventsEvents !== true) return undefined;
    const event = invented.get(eventId) ?? anEventOf(eventId);
    invented.set(eventId, event);
    const [oldest] = invented.keys();
    if (invented.size > MAX_INVENTED && oldest !== undefined) invented.delete(oldest);
    return event;
  }

  const server = createServer((request, response) => {
    const at = performance.now();
    const asked = readAsked(request);
    const reply = answer(asked);
    options.onCall?.({
      eventId: asked.eventId,
      ...(asked.what === "search" ? { isSearch: true } : {}),
      at,
      ...(asked.apiKey === undefined ? {} : { keyId: secretFingerprint(asked.apiKey) }),
      ...(reply.how === "never" ? {} : { status: reply.status }),
    });
    send(reply, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    add: (event) => void events.set(event.event_id, event),
    misbehave: (misbehaviour, command) => commands.give(misbehaviour, command),
    behave: (eventId) => commands.forget(eventId),
    stop: () =>
      new Promise((resolve) => {
        // Also when it is closed already.
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Asked {
  /** Undefined for what is not there. */
  readonly what: "lookup" | "search" | undefined;
  readonly eventId: string;
  readonly query: URLSearchParams;
  readonly apiKey: string | undefined;
}

// The vendor does not decode what stands in the path.
function readAsked({ method, url = "", headers }: IncomingMessage): Asked {
  const [path = "", query = ""] = url.split("?", 2);
  const eventId = /^\/v4\/events\/([^/]+)$/.exec(path)?.[1];
  const what = eventId !== undefined ? "lookup" : path === "/v4/events" ? "search" : undefined;
  return {
    what: method === "GET" ? what : undefined,
    eventId: eventId ?? "",
    query: new URLSearchParams(query),
    apiKey: /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1],
  };
}

const ACTIONS = {
  allow: { type: "allow", request_header_modifications: { remove: [], set: [], append: [] } },
  block: { type: "block", status_code: 403, headers: [], body: "" },
};

function isOf(ruleAction: unknown, rulesetId: string): boolean {
  return isRecord(ruleAction) && ruleAction["ruleset_id"] === rulesetId;
}

/** An ordinary event of this id, which says when it was made. */
function anEventOf(eventId: string): Event {
  const madeAt = /^(\d{13})\./.exec(eventId)?.[1];
  return anEvent({ event_id: eventId, ...(madeAt === undefined ? {} : { timestamp: Number(madeAt) }) });
}
