import type { Event } from "@assay/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLookups } from "../lookups.ts";
import { toEvent } from "../to-event.ts";
import { anEvent } from "./event.ts";
import type { Misbehaviour } from "./misbehaviour.ts";
import { type StandInApi, startStandInApi } from "./stand-in-api.ts";

let api: StandInApi;
let event: Event;
beforeEach(async () => {
  api = await startStandInApi();
  event = anEvent();
  api.add(event);
});
afterEach(() => api.stop());

/** Nobody waits that long. */
const LONG_MS = 20_000;
const JSON_TYPE = "application/json";
const errorOf = (code: string) => expect.stringContaining(`{"error":{"code":"${code}"`);

describe("misbehave", () => {
  test.each<[Misbehaviour, object, object]>([
    [{ kind: "not_found" }, { status: 404, text: errorOf("event_not_found") }, { status: "not_found" }],
    [
      { kind: "throttled", as: "json" },
      { status: 429, type: JSON_TYPE, text: errorOf("too_many_requests") },
      { status: "throttled" },
    ],
    [
      { kind: "throttled", as: "html" },
      { status: 429, type: "text/html", text: expect.stringContaining("<html>") },
      { status: "throttled" },
    ],
    [
      { kind: "forbidden", code: "wrong_region" },
      { status: 403, text: errorOf("wrong_region") },
      { status: "refused", setting: "key", code: "wrong_region" },
    ],
    [
      { kind: "failing", status: 500 },
      { status: 500, text: errorOf("failed") },
      { status: "unavailable", reason: "http_5xx" },
    ],
    [
      { kind: "failing", status: 503 },
      { status: 503, text: errorOf("service_unavailable") },
      { status: "unavailable", reason: "http_5xx" },
    ],
    [
      { kind: "slow_loris", everyMs: 1 },
      { status: 200, type: JSON_TYPE, failure: "TimeoutError" },
      { status: "unavailable", reason: "timeout" },
    ],
    [{ kind: "hang" }, { failure: "TimeoutError" }, { status: "unavailable", reason: "timeout" }],
    [{ kind: "reset" }, { status: 200, failure: "TypeError" }, { status: "unavailable", reason: "network" }],
    [
      { kind: "truncated" },
      { status: 200, type: JSON_TYPE, text: expect.stringMatching(/^\{"event_id":.*[^}]$/) },
      { status: "unavailable", reason: "invalid_body" },
    ],
    [
      { kind: "huge" },
      { status: 200, type: JSON_TYPE, text: expect.toSatisfy((text: string) => text.length > 10 * 1024 * 1024) },
      { status: "unavailable", reason: "body_too_large" },
    ],
    [
      { kind: "wrong_schema", as: "not_an_event" },
      { status: 200, type: JSON_TYPE, text: '{"events":[]}' },
      { status: "event", json: { events: [] } },
    ],
    [
      { kind: "v3_throttled" },
      { status: 200, text: expect.stringContaining("429 Too Many Requests") },
      { status: "throttled" },
    ],
    [
      { kind: "answer", status: 418, body: { tea: true } },
      { status: 418, text: '{"tea":true}' },
      { status: "unavailable", reason: "http_4xx" },
    ],
  ])("makes of %j what it says, and a lookup makes the best of it", async (misbehaviour, seen, outcome) => {
    api.misbehave(misbehaviour, { times: 2 });
    const timeoutMs = "failure" in seen && seen.failure === "TimeoutError" ? 200 : LONG_MS;
    expect(await seeBare(timeoutMs)).toMatchObject(seen);
    expect(await lookUp(timeoutMs)).toEqual(outcome);
    expect(await lookUp()).toEqual({ status: "event", json: event });
  });

  test("answers with an event whose signals have wrong types, which leaves them unknown", async () => {
    api.misbehave({ kind: "wrong_schema", as: "wrong_types" });
    const outcome = await lookUp();
    const read = toEvent(outcome.status === "event" ? outcome.json : undefined);
    expect(read).toMatchObject({ ok: true, event: { event_id: event.event_id, incognito: false } });
    expect(read).toMatchObject({ wrongTypes: expect.arrayContaining(["identification", "vpn", "suspect_score"]) });
    expect(read).not.toHaveProperty("event.vpn");
  });

  test("answers with the event and with another visitor by turns", async () => {
    api.misbehave({ kind: "flip_flop", with: "another_visitor" }, { eventId: event.event_id, times: Infinity });
    const [first, second, third, fourth] = [await lookUp(), await lookUp(), await lookUp(), await lookUp()];
    expect(first).toEqual({ status: "event", json: event });
    expect(second).toMatchObject({ status: "event", json: { event_id: event.event_id, bot: "bad" } });
    expect([third, fourth]).toEqual([first, second]);
    api.behave(event.event_id);
    expect([await lookUp(), await lookUp()]).toEqual([first, first]);
  });

  test("knows an event and does not by turns", async () => {
    api.misbehave({ kind: "flip_flop", with: "not_found" }, { times: Infinity });
    const statuses = [(await lookUp()).status, (await lookUp()).status, (await lookUp()).status];
    expect(statuses).toEqual(["event", "not_found", "event"]);
  });

  test("needs no event for what it makes of one", async () => {
    await api.stop();
    api = await startStandInApi();
    api.misbehave({ kind: "wrong_schema", as: "wrong_types" });
    expect(await lookUp()).toMatchObject({ status: "event", json: { event_id: event.event_id } });
  });
});

function lookUp(timeoutMs = LONG_MS) {
  return createLookups({ apiKey: "secret", region: "us", apiUrl: api.url, timeoutMs }).lookup(event.event_id);
}

interface Seen {
  readonly status?: number;
  readonly type?: string | null;
  readonly text?: string;
  /** Name of what ended it. */
  readonly failure?: string;
}

/** What a plain fetch sees in time. */
async function seeBare(timeoutMs: number): Promise<Seen> {
  let seen: Seen = {};
  try {
    const headers = { authorization: "Bearer secret" };
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(`${api.url}/v4/events/${event.event_id}`, { headers, signal });
    seen = { status: response.status, type: response.headers.get("content-type") };
    return { ...seen, text: await response.text() };
  } catch (error) {
    return { ...seen, failure: error instanceof Error ? error.name : String(error) };
  }
}
