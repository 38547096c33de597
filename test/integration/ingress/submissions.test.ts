import { randomBytes, randomUUID } from "node:crypto";
import { readSubmissionState } from "@assay/ledger";
import { isRecord, submissionId } from "@assay/protocol";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { anEventId, aProblem, type Answer, type OpenIngress, SHOP_KEY, startIngress } from "./open-ingress.ts";

let door: OpenIngress;
beforeAll(async () => {
  door = await startIngress(inject("redisUrl"));
});
afterAll(() => door.close());

describe("POST /v1/submissions", () => {
  test("takes an event id, and says where its verdict will be", async () => {
    const key = randomUUID();
    const id = submissionId("0", "shop", key);
    const answer = await door.submit({ event_id: anEventId() }, { key });
    expect(answer).toMatchObject({ status: 202, json: { id, status: "accepted", durability: "local" } });
    expect(answer.headers.get("location")).toBe(`/v1/verdicts/${id}`);
    await expect(stateOf(id)).resolves.toMatchObject({ status: "accepted", lane: "lookups" });
  });

  test("takes a sealed result into its own lane, and rings once", async () => {
    const before = await door.installation.jobs("results");
    const { json } = await door.submit({ sealed_result: randomBytes(64).toString("base64") });
    await expect(stateOf(idOf(json))).resolves.toMatchObject({ lane: "results" });
    await expect(door.installation.jobs("results")).resolves.toHaveLength(before.length + 1);
  });

  test("takes the agent's own result as it is", async () => {
    const result = { event_id: anEventId(), visitor_id: "v", suspect_score: 3, cache_hit: false, sealed_result: null };
    await expect(door.submit(result)).resolves.toMatchObject({ status: 202 });
  });

  test("says duplicate of what is known and undecided", async () => {
    const body = { event_id: anEventId() };
    const key = randomUUID();
    await door.submit(body, { key });
    await expect(door.submit(body, { key })).resolves.toMatchObject({ status: 202, json: { status: "duplicate" } });
  });

  test("ignores quotes around the Idempotency-Key", async () => {
    const body = { event_id: anEventId() };
    const key = randomUUID();
    const first = await door.submit(body, { key });
    const second = await door.submit(body, { key: `"${key}"` });
    expect(idOf(second.json)).toBe(idOf(first.json));
  });

  test("gives one id to two secrets of one name, and another to another name", async () => {
    const body = { event_id: anEventId() };
    const key = randomUUID();
    const as = (secret: string) => door.submit(body, { key, headers: { authorization: `Bearer ${secret}` } });
    const [first, rotated, other] = await Promise.all([as("shop-secret"), as("shop-secret-2"), as("till-secret")]);
    expect(idOf(rotated.json)).toBe(idOf(first.json));
    expect(idOf(other.json)).not.toBe(idOf(first.json));
  });

  test("writes 100 equal submissions at once as one record", async () => {
    const body = { event_id: anEventId() };
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 100 }, () => door.submit(body, { key })));
    const statuses = answers.map(({ json }) => (isRecord(json) ? json["status"] : undefined));
    expect(statuses.filter((status) => status === "accepted")).toHaveLength(1);
    expect(statuses.filter((status) => status === "duplicate")).toHaveLength(99);
  });

  test("answers with the verdict once it is decided", async () => {
    const body = { event_id: anEventId() };
    const key = randomUUID();
    const { json } = await door.submit(body, { key });
    await door.decideAll("block");
    await expect(door.submit(body, { key })).resolves.toMatchObject({
      status: 200,
      type: "application/json",
      json: { schema: "assay.verdict/1", id: idOf(json), action: "block" },
    });
  });

  test("says 410 where the verdict is no longer kept, so that nobody waits for it", async () => {
    const body = { event_id: anEventId() };
    const key = randomUUID();
    const id = idOf((await door.submit(body, { key })).json);
    await door.decideAll();
    const { redis, keys } = door.installation;
    await redis.del(keys.verdict(id));
    expect(await door.submit(body, { key, wait: 30 })).toEqual(aProblem(410, "verdict_expired", { id }));
  });

  test("answers a caller that waits as soon as it is decided", async () => {
    const key = randomUUID();
    const waiting = door.submit({ event_id: anEventId() }, { key, wait: 30 });
    await eventually(async () => (await stateOf(submissionId("0", "shop", key))) !== undefined);
    await door.decideAll("challenge");
    await expect(waiting).resolves.toMatchObject({ status: 200, json: { action: "challenge" } });
  });

  test("says pending when the wait runs out, in about that time", async () => {
    const startedAt = performance.now();
    const answer = await door.submit({ event_id: anEventId() }, { wait: 0.3 });
    expect(answer).toMatchObject({ status: 202, json: { status: "pending", durability: "local" } });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(290);
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });

  test.each([
    ["event_id", { event_id: anEventId() }],
    ["ruleset", { ruleset: "strict" }],
    ["context", { context: { flow: "checkout" } }],
    ["sealed_result", { sealed_result: "AAAA" }],
  ])("says 409 of other content under the same key, and names %s", async (group, change) => {
    const body = { event_id: anEventId(), sealed_result: "BBBB" };
    const key = randomUUID();
    const { json } = await door.submit(body, { key });
    const answer = await door.submit({ ...body, ...change }, { key });
    expect(answer).toEqual(aProblem(409, "submission_conflict", { field: group, id: idOf(json), retryable: false }));
  });

  test("takes a later observed_at for the same content", async () => {
    const key = randomUUID();
    const body = (observedAt: number) => ({ event_id: "1.again", context: { observed_at: observedAt } });
    await door.submit(body(Date.now() - 1000), { key });
    await expect(door.submit(body(Date.now()), { key })).resolves.toMatchObject({ json: { status: "duplicate" } });
  });

  test("keeps a valid traceparent with the submission", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const { json } = await door.submit({ event_id: anEventId() }, { headers: { traceparent } });
    const { redis, keys } = door.installation;
    expect(await redis.hget(keys.record(idOf(json)), "m")).toContain(traceparent);
  });

  test("leaves a private address out, and counts it", async () => {
    const before = await sample('assay_context_invalid_total{field="ip",app="ingress"}');
    await door.submit({ event_id: anEventId(), context: { ip: "10.1.2.3" } });
    expect(await sample('assay_context_invalid_total{field="ip",app="ingress"}')).toBe(before + 1);
  });
});

describe("POST /v1/submissions, refused", () => {
  test.each([
    ["no Authorization", { authorization: "" }],
    ["an unknown key", { authorization: "Bearer nobody" }],
  ])("answers 401 to %s, and says how to prove oneself", async (_, headers) => {
    const answer = await door.submit({ event_id: anEventId() }, { headers });
    expect(answer).toEqual(aProblem(401, "unauthorized"));
    expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="assay"');
  });

  test("asks for an Idempotency-Key", async () => {
    const answer = await door.request("/v1/submissions", {
      method: "POST",
      headers: { ...SHOP_KEY, "content-type": "application/json" },
      body: '{"event_id":"1.a"}',
    });
    expect(answer).toEqual(aProblem(400, "idempotency_key_missing", { field: "Idempotency-Key" }));
  });

  test("refuses a submission whose Idempotency-Key is the event id", async () => {
    const eventId = anEventId();
    const answer = await door.submit({ event_id: eventId }, { key: eventId });
    expect(answer).toEqual(aProblem(400, "idempotency_key_is_event_id", { field: "Idempotency-Key" }));
  });

  test.each([
    ["with a space", "with space"],
    ["of 256 characters", "x".repeat(256)],
  ])("refuses an Idempotency-Key %s", async (_, key) => {
    expect(await door.submit({ event_id: anEventId() }, { key })).toEqual(aProblem(400, "idempotency_key_invalid"));
  });

  test.each([
    ["requestId", "event_id", { requestId: "1.a" }],
    ["sealedResult", "sealed_result", { sealedResult: "AAAA" }],
    ["context.userId", "context.user_id", { event_id: "1.a", context: { userId: "u" } }],
  ])("names the right spelling of %s", async (field, right, body) => {
    const answer = await door.submit(body);
    expect(answer).toEqual(aProblem(400, "unknown_field", { field, detail: expect.stringContaining(`${right}?`) }));
  });

  test.each([
    ["a list of addresses", "context.ip", { context: { ip: "1.2.3.4, 5.6.7.8" } }],
    ["a flow in capitals", "context.flow", { context: { flow: "Login" } }],
    ["an event id with a slash", "event_id", { event_id: "a/b" }],
    ["nested facts", "context.facts.a", { context: { facts: { a: { b: 1 } } } }],
    ["seconds as observed_at", "context.observed_at", { context: { observed_at: 1_700_000_000 } }],
    ["a future observed_at", "context.observed_at", { context: { observed_at: Date.now() + 60_000 } }],
  ])("refuses %s, and names the field", async (_, field, change) => {
    const answer = await door.submit({ event_id: "1.a", ...change });
    expect(answer).toEqual(aProblem(400, "invalid_field", { field, retryable: false }));
  });

  test("takes an observed_at of a clock that is a little ahead", async () => {
    const body = { event_id: anEventId(), context: { observed_at: Date.now() + 5000 } };
    await expect(door.submit(body)).resolves.toMatchObject({ status: 202 });
  });

  test("refuses a body with neither an event id nor a sealed result", async () => {
    expect(await door.submit({ context: { flow: "login" } })).toEqual(
      aProblem(400, "missing_field", { field: "event_id" }),
    );
  });

  test.each(["31", "-1", "soon"])("refuses wait=%s", async (wait) => {
    const answer = await door.request(`/v1/submissions?wait=${wait}`, {
      method: "POST",
      headers: { ...SHOP_KEY, "content-type": "application/json", "idempotency-key": randomUUID() },
      body: '{"event_id":"1.a"}',
    });
    expect(answer).toEqual(aProblem(400, "invalid_field", { field: "wait" }));
  });

  test.each(["{", "", "event_id=1"])("answers 400 to %j, which is not JSON", async (body) => {
    expect(await door.submit(body)).toEqual(aProblem(400, "invalid_json"));
  });

  test.each(["[]", "null", '"text"', "1"])("answers 400 to %s, which is no object", async (body) => {
    expect(await door.submit(body)).toEqual(aProblem(400, "invalid_field"));
  });

  test("answers 415 to a body that is not said to be JSON", async () => {
    const headers = { "content-type": "text/plain" };
    expect(await door.submit('{"event_id":"1.a"}', { headers })).toEqual(aProblem(415, "unsupported_media_type"));
  });

  test.each([
    ["a body", { event_id: "1.a", context: { user_agent: "x".repeat(200_000) } }, "196608"],
    ["a sealed result", { sealed_result: Buffer.alloc(128 * 1024 + 1).toString("base64") }, "131072"],
  ])("answers 413 to %s that is too long, and names the bound", async (_, body, bound) => {
    const detail = expect.stringContaining(`at most ${bound} bytes`);
    expect(await door.submit(body)).toEqual(aProblem(413, "payload_too_large", { detail }));
  });

  test("writes nothing of what it refused", async () => {
    const key = randomUUID();
    await door.submit({ event_id: "1.a", requestId: "1.a" }, { key });
    await expect(stateOf(submissionId("0", "shop", key))).resolves.toBeUndefined();
  });
});

describe("the log", () => {
  test("holds no key, no body and no id above debug", async () => {
    const eventId = anEventId();
    const { json } = await door.submit({ event_id: eventId, context: { user_id: "jane-doe", ip: "8.8.8.8" } });
    await door.submit("{broken jane-doe");
    const info = door.log.filter((line) => !line.includes('"level":"debug"')).join("\n");
    expect(info).not.toContain(idOf(json));
    const all = door.log.join("\n");
    for (const secret of ["shop-secret", "webhook-secret", "jane-doe", "8.8.8.8", eventId]) {
      expect(all).not.toContain(secret);
    }
  });
});

function stateOf(id: string) {
  const { redis, keys } = door.installation;
  return readSubmissionState(redis, keys, id, Date.now());
}

function idOf(json: Answer["json"]): string {
  return isRecord(json) ? String(json["id"]) : "";
}

async function sample(name: string): Promise<number> {
  const { text } = await door.admin("/metrics");
  const line = text.split("\n").find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? 0);
}
