import { type Event, isRecord } from "@assay/protocol";
import { afterEach, describe, expect, test } from "vitest";
import { anEvent } from "./event.ts";
import { type StandInApi, startStandInApi } from "./stand-in-api.ts";

const NOON = Date.UTC(2026, 10, 27, 12);
const DAY_MS = 86_400_000;

let api: StandInApi | undefined;
afterEach(() => api?.stop());

/** A stand-in that knows events of these ids, a second apart. */
async function knowing(...ids: string[]): Promise<void> {
  api = await startStandInApi();
  for (const [index, event_id] of ids.entries()) api.add(anEvent({ event_id, timestamp: NOON + 1000 * index }));
}

async function search(query: Record<string, string | number> = {}) {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) asked.set(name, String(value));
  const response = await fetch(`${api?.url}/v4/events?${asked}`, { headers: { authorization: "Bearer a" } });
  const body: unknown = await response.json();
  if (!isRecord(body)) throw new TypeError("An answer must be an object.");
  const events: Event[] = Array.isArray(body["events"]) ? body["events"] : [];
  return { status: response.status, body, ids: events.map(({ event_id: id }) => id), key: body["pagination_key"] };
}

const ALL = { start: NOON - DAY_MS, end: NOON + DAY_MS };

describe("the search of the stand-in", () => {
  test("gives the newest ten first, of the last seven days", async () => {
    await knowing();
    const now = Date.now();
    for (let n = 0; n < 12; n++) api?.add(anEvent({ event_id: `e.${n}`, timestamp: now - 1000 * n }));
    api?.add(anEvent({ event_id: "old.1", timestamp: now - 8 * DAY_MS }));
    expect((await search()).ids).toEqual(Array.from({ length: 10 }, (_, n) => `e.${n}`));
    expect((await search({ limit: 100 })).ids).not.toContain("old.1");
  });

  test.each([
    ["false", ["e.4", "e.3", "e.2", "e.1", "e.0"]],
    ["true", ["e.0", "e.1", "e.2", "e.3", "e.4"]],
  ])("gives every event once over all pages, with reverse=%s", async (reverse, expected) => {
    await knowing("e.0", "e.1", "e.2", "e.3", "e.4");
    const first = await search({ ...ALL, reverse, limit: 2 });
    const second = await search({ ...ALL, reverse, limit: 2, pagination_key: String(first.key) });
    const third = await search({ ...ALL, reverse, limit: 2, pagination_key: String(second.key) });
    expect([...first.ids, ...second.ids, ...third.ids]).toEqual(expected);
    expect(third.body).not.toHaveProperty("pagination_key");
  });

  test("keeps the place of a page while older and newer events come", async () => {
    await knowing("e.0", "e.1", "e.2");
    const { key } = await search({ ...ALL, reverse: "true", limit: 2 });
    api?.add(anEvent({ event_id: "e.9", timestamp: NOON + 9000 }));
    api?.add(anEvent({ event_id: "early.1", timestamp: NOON - 9000 }));
    expect((await search({ ...ALL, reverse: "true", pagination_key: String(key) })).ids).toEqual(["e.2", "e.9"]);
  });

  test("takes times of RFC 3339, too, and leaves out what lies beyond them", async () => {
    await knowing("e.0", "e.1", "e.2");
    const asked = { start: "2026-11-27T12:00:01Z", end: new Date(NOON + 1000).toISOString() };
    expect((await search(asked)).ids).toEqual(["e.1"]);
  });

  test("keeps events of the edge apart, and counts hits up to a bound", async () => {
    await knowing("e.0", "e.1");
    api?.add(anEvent({ event_id: "edge.1", timestamp: NOON, source: "edge" }));
    expect((await search({ ...ALL, total_hits: 1 })).body).toMatchObject({ total_hits: 1 });
    expect((await search({ ...ALL, total_hits: 9 })).body).toMatchObject({ total_hits: 2 });
    expect((await search({ ...ALL, source: "edge" })).ids).toEqual(["edge.1"]);
  });

  test.each([
    [{ limit: 0 }, "invalid limit"],
    [{ limit: 101 }, "invalid limit"],
    [{ start: "yesterday" }, "invalid start time"],
    [{ end: "tomorrow" }, "invalid end time"],
    [{ reverse: "yes" }, "invalid reverse param"],
    [{ pagination_key: "x" }, "invalid pagination key"],
  ])("refuses %o", async (query, message) => {
    await knowing();
    expect(await search(query)).toMatchObject({
      status: 400,
      body: { error: { code: "request_cannot_be_parsed", message } },
    });
  });

  test("obeys what it was told to do instead", async () => {
    await knowing("e.0");
    api?.misbehave({ kind: "failing", status: 503 });
    expect((await search(ALL)).status).toBe(503);
    expect((await search(ALL)).ids).toEqual(["e.0"]);
  });
});
