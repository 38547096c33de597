import { randomUUID } from "node:crypto";
import { redriveLetter } from "@assay/ledger";
import { submissionId } from "@assay/protocol";
import { SubmissionStatus, Verdict } from "@assay/protocol/schemas";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { anInputLetter } from "../ledger/laid-aside.ts";
import { anEventId, aProblem, type OpenIngress, startIngress } from "./open-ingress.ts";

let door: OpenIngress;
beforeAll(async () => {
  door = await startIngress(inject("redisUrl"));
});
afterAll(() => door.close());

describe("GET /v1/verdicts/{id}", () => {
  test("gives the verdict, fit for the schema and for no cache", async () => {
    const id = await submitted();
    await door.decideAll("review");
    const answer = await door.read(`/v1/verdicts/${id}`);
    expect(answer).toMatchObject({ status: 200, type: "application/json" });
    expect(Verdict.parse(answer.json)).toMatchObject({ id, action: "review" });
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  test("says pending while it is undecided", async () => {
    const id = await submitted();
    await expect(door.read(`/v1/verdicts/${id}`)).resolves.toMatchObject({
      status: 202,
      json: { id, status: "pending" },
    });
  });

  test("waits for it", async () => {
    const id = await submitted();
    const waiting = door.read(`/v1/verdicts/${id}?wait=30`);
    await door.decideAll("block");
    await expect(waiting).resolves.toMatchObject({ status: 200, json: { id, action: "block" } });
  });

  test("says pending when the wait runs out", async () => {
    const id = await submitted();
    const startedAt = performance.now();
    await expect(door.read(`/v1/verdicts/${id}?wait=0.2`)).resolves.toMatchObject({ status: 202 });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(190);
  });

  test("says 410 of a verdict that is no longer kept", async () => {
    const id = await submitted();
    await door.decideAll();
    const { redis, keys } = door.installation;
    await redis.del(keys.verdict(id));
    expect(await door.read(`/v1/verdicts/${id}`)).toEqual(aProblem(410, "verdict_expired", { id }));
  });

  test.each([
    ["an id that nobody knows", submissionId("0", "shop", "never sent")],
    ["an id of another form", "s_short"],
    ["a very long id", "s".repeat(300)],
  ])("says 404 of %s at once, however long it may wait", async (_, id) => {
    const answer = await door.read(`/v1/verdicts/${id}?wait=30`);
    expect(answer.status).toBe(404);
    expect(answer.type).toBe("application/problem+json");
  });

  test("asks for a key", async () => {
    expect(await door.request(`/v1/verdicts/${await submitted()}`)).toEqual(aProblem(401, "unauthorized"));
  });
});

describe("GET /v1/submissions/{id}", () => {
  test("names the redrive of what could not be opened, and the other way round", async () => {
    const { redis, keys } = door.installation;
    const letter = await anInputLetter(door.installation);
    const { id = "" } = letter;
    expect((await door.read(`/v1/submissions/${id}`)).json).not.toHaveProperty("redriven_as");
    await redriveLetter(redis, keys, letter);
    const [first, second] = [await door.read(`/v1/submissions/${id}`), await door.read(`/v1/submissions/${id}~1`)];
    expect(SubmissionStatus.parse(first.json)).toMatchObject({ status: "decided", redriven_as: `${id}~1` });
    expect(SubmissionStatus.parse(second.json)).toEqual({
      id: `${id}~1`,
      status: "accepted",
      lane: "background",
      tries: 0,
      redrive_of: id,
    });
  });

  test("says accepted, then decided", async () => {
    const id = await submitted();
    const before = await door.read(`/v1/submissions/${id}`);
    expect(SubmissionStatus.parse(before.json)).toEqual({ id, status: "accepted", lane: "lookups", tries: 0 });
    await door.decideAll();
    const after = await door.read(`/v1/submissions/${id}`);
    expect(SubmissionStatus.parse(after.json)).toEqual({ id, status: "decided", lane: "lookups", tries: 1 });
  });

  test("says why it is snoozed, and until when", async () => {
    const id = await submitted();
    const { redis, keys } = door.installation;
    const until = Date.now() + 60_000;
    await redis.hset(keys.record(id), { t: 1, sw: "throttled", su: until });
    const { json } = await door.read(`/v1/submissions/${id}`);
    expect(json).toEqual({ id, status: "snoozed", lane: "lookups", tries: 1, snoozed: { why: "throttled", until } });
  });

  test.each([submissionId("0", "shop", "never sent"), "no-id", "s_%2e%2e"])("says 404 of %s", async (id) => {
    expect(await door.read(`/v1/submissions/${id}`)).toEqual(aProblem(404, "submission_not_found"));
  });
});

describe("GET /v1/events/{event_id}/verdicts", () => {
  test("lists the verdicts on an event, newest first", async () => {
    const eventId = anEventId();
    const first = await submitted(eventId);
    await door.decideAll();
    const second = await submitted(eventId);
    await door.decideAll();
    const { status, json } = await door.read(`/v1/events/${eventId}/verdicts`);
    expect({ status, json }).toMatchObject({ status: 200, json: { verdicts: [{ id: second }, { id: first }] } });
  });

  test("is empty for an event that nobody submitted", async () => {
    const { status, json } = await door.read(`/v1/events/${anEventId()}/verdicts`);
    expect({ status, json }).toEqual({ status: 200, json: { verdicts: [] } });
  });

  test("says 404 of what is no event id", async () => {
    expect(await door.read("/v1/events/a%20b/verdicts")).toEqual(aProblem(404, "not_found"));
  });
});

async function submitted(eventId: string = anEventId()): Promise<string> {
  const key = randomUUID();
  await door.submit({ event_id: eventId }, { key });
  return submissionId("0", "shop", key);
}
