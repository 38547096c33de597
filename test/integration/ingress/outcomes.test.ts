import { randomUUID } from "node:crypto";
import { isRecord, outcomeId, submissionId } from "@assay/protocol";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import type { PrivateRedis } from "../../support/private-redis.ts";
import { eventually } from "../../support/eventually.ts";
import { startRedis } from "../../support/redis-server.ts";
import { anEventId, aProblem, type Answer, type OpenIngress, SHOP_KEY, startIngress } from "./open-ingress.ts";

let door: OpenIngress;
beforeAll(async () => {
  door = await startIngress(inject("redisUrl"));
});
afterAll(() => door.close());

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

interface TellOptions {
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly at?: OpenIngress;
}

function tell(body: unknown, { key = randomUUID(), headers, at = door }: TellOptions = {}): Promise<Answer> {
  return at.request("/v1/outcomes", {
    method: "POST",
    headers: { ...SHOP_KEY, "content-type": "application/json", "idempotency-key": key, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** A submission that nobody has decided; returns its id. */
async function submitted(eventId: string = anEventId()): Promise<string> {
  const { json } = await door.submit({ event_id: eventId });
  return isRecord(json) ? String(json["id"]) : "";
}

describe("POST /v1/outcomes", () => {
  test("takes an outcome, and says whose it is", async () => {
    const submission = await submitted();
    const key = randomUUID();
    expect(await tell({ submission_id: submission, outcome: "login_failed" }, { key })).toMatchObject({
      status: 202,
      type: "application/json",
      json: {
        id: outcomeId("0", "shop", key),
        submission_id: submission,
        status: "accepted",
        durability: "local",
      },
    });
  });

  test("says duplicate of what was told before", async () => {
    const body = { submission_id: await submitted(), label: "fraud" };
    const key = randomUUID();
    await tell(body, { key });
    expect(await tell(body, { key: `"${key}"` })).toMatchObject({ status: 202, json: { status: "duplicate" } });
  });

  test("shows it with the submission", async () => {
    const submission = await submitted();
    const path = `/v1/submissions/${submission}`;
    const { json: before } = await door.read(path);
    expect(Object.keys(isRecord(before) ? before : {})).toEqual(["id", "status", "lane", "tries"]);
    await tell({ submission_id: submission, outcome: "chargeback", label: "fraud", occurred_at: 1_760_000_000_000 });
    await tell({ submission_id: submission, outcome: "refunded" });
    expect((await door.read(path)).json).toEqual({
      id: submission,
      status: "accepted",
      lane: "lookups",
      tries: 0,
      label: "fraud",
      outcomes: [
        { outcome: "chargeback", label: "fraud", occurred_at: 1_760_000_000_000 },
        { outcome: "refunded", occurred_at: expect.any(Number) },
      ],
    });
  });

  test("finds a decided submission by its event", async () => {
    const eventId = anEventId();
    const submission = await submitted(eventId);
    await door.decideAll();
    expect(await tell({ event_id: eventId, label: "legit" })).toMatchObject({
      status: 202,
      json: { submission_id: submission },
    });
  });

  test("counts what became of each report", async () => {
    const before = await samples();
    const submission = await submitted();
    const key = randomUUID();
    for (const label of ["fraud", "fraud", "legit"]) await tell({ submission_id: submission, label }, { key });
    await tell({ submission_id: submissionId("0", "shop", key), label: "fraud" });
    await tell({ submission_id: submission, label: "fraud", occurred_at: Date.now() + 60_000 });
    const after = await samples();
    const rise = Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)]));
    expect(rise).toEqual({ accepted: 1, duplicate: 1, conflict: 1, not_found: 1 });
  });
});

describe("POST /v1/outcomes, refused", () => {
  test("answers 401 to who has no key, and says how to prove oneself", async () => {
    const answer = await tell({ event_id: "1.a", label: "fraud" }, { headers: { authorization: "" } });
    expect(answer).toEqual(aProblem(401, "unauthorized"));
    expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="assay"');
  });

  test("asks for an Idempotency-Key", async () => {
    const answer = await door.request("/v1/outcomes", {
      method: "POST",
      headers: { ...SHOP_KEY, "content-type": "application/json" },
      body: '{"event_id":"1.a","label":"fraud"}',
    });
    expect(answer).toEqual(aProblem(400, "idempotency_key_missing", { field: "Idempotency-Key" }));
  });

  test("refuses an Idempotency-Key that is the event id", async () => {
    const answer = await tell({ event_id: "1.a", label: "fraud" }, { key: "1.a" });
    expect(answer).toEqual(aProblem(400, "idempotency_key_is_event_id"));
  });

  test.each([
    ["unknown_field", "submissionId", { submissionId: "s_1", label: "fraud" }],
    ["missing_field", "submission_id", { label: "fraud" }],
    ["missing_field", "outcome", { event_id: "1.a" }],
    ["invalid_field", "reference", { event_id: "1.a", reference: "o-1", label: "fraud" }],
    ["invalid_field", "outcome", { event_id: "1.a", outcome: "jane@example.com" }],
    ["invalid_field", "occurred_at", { event_id: "1.a", label: "fraud", occurred_at: 1_760_000_000 }],
  ])("answers %s and names %s", async (code, field, body) => {
    expect(await tell(body)).toEqual(aProblem(400, code, { field, retryable: false }));
  });

  test("refuses a time that lies ahead", async () => {
    const body = { submission_id: await submitted(), label: "fraud", occurred_at: Date.now() + 60_000 };
    expect(await tell(body)).toEqual(
      aProblem(400, "invalid_field", { field: "occurred_at", detail: expect.stringContaining("in the future") }),
    );
  });

  test.each<[string, () => object]>([
    ["submission_id", () => ({ submission_id: submissionId("0", "shop", randomUUID()) })],
    ["event_id", () => ({ event_id: anEventId() })],
    ["reference", () => ({ reference: randomUUID() })],
  ])("answers 404 to a %s that nobody knows, and says how long it would", async (by, about) => {
    expect(await tell({ ...about(), label: "fraud" })).toEqual(
      aProblem(404, "submission_not_found", {
        field: by,
        detail: expect.stringContaining("ASSAY_IDEMPOTENCY_TTL_SECONDS after its decision, by default a day"),
      }),
    );
  });

  test("answers 404 once the submission is forgotten", async () => {
    const submission = await submitted();
    await door.decideAll();
    const { redis, keys } = door.installation;
    await redis.pexpire(keys.record(submission), 1);
    await eventually(async () => (await redis.exists(keys.record(submission))) === 0);
    expect(await tell({ submission_id: submission, label: "fraud" })).toEqual(aProblem(404, "submission_not_found"));
  });

  test("answers 409 to another outcome under the same key", async () => {
    const submission = await submitted();
    const key = randomUUID();
    await tell({ submission_id: submission, outcome: "paid" }, { key });
    expect(await tell({ submission_id: submission, outcome: "refunded" }, { key })).toEqual(
      aProblem(409, "outcome_conflict", { id: outcomeId("0", "shop", key), retryable: false }),
    );
  });

  test("answers 503 when 16 outcomes wait for the decision, and takes more after it", async () => {
    const submission = await submitted();
    for (let n = 0; n < 16; n++) await tell({ submission_id: submission, outcome: `n${n}` });
    const body = { submission_id: submission, outcome: "n16" };
    expect(await tell(body)).toEqual(aProblem(503, "overloaded", { retryable: true }));
    await door.decideAll();
    expect(await tell(body)).toMatchObject({ status: 202 });
  });

  test("answers 413 to a body that is too long, and 415 to one that is no JSON", async () => {
    const long = { reference: "o-1", label: "fraud", note: "x".repeat(5000) };
    expect(await tell(long)).toEqual(
      aProblem(413, "payload_too_large", { detail: expect.stringContaining("at most 4096 bytes") }),
    );
    const headers = { "content-type": "text/plain" };
    expect(await tell("paid", { headers })).toEqual(aProblem(415, "unsupported_media_type"));
  });

  test("keeps what it refused out of the log and out of Redis", async () => {
    await tell({ reference: "order-of-jane", outcome: "jane@example.com" });
    expect(door.log.join("\n")).not.toContain("jane@example.com");
    const { redis, prefix } = door.installation;
    expect((await redis.keys(`${prefix}:*`)).join("\n")).not.toContain("jane");
  });
});

describe("POST /v1/outcomes, in trouble", () => {
  async function withOwnRedis(): Promise<{ readonly redis: PrivateRedis; readonly at: OpenIngress }> {
    const redis = await startRedis();
    stops.push(() => redis.stop());
    const at = await startIngress(redis.url);
    stops.push(() => at.close());
    return { redis, at };
  }

  test("answers 503 within 2.5 s while Redis hangs, and says that it is not known", async () => {
    const { redis, at } = await withOwnRedis();
    await redis.kill("SIGSTOP");
    const key = randomUUID();
    const startedAt = performance.now();
    expect(await tell({ event_id: "1.a", label: "fraud" }, { key, at })).toEqual(
      aProblem(503, "unavailable", { retryable: true, id: outcomeId("0", "shop", key) }),
    );
    expect(performance.now() - startedAt).toBeLessThan(2500);
  });

  test("sheds outcomes with what callers submit while Redis is nearly full", async () => {
    const { at } = await withOwnRedis();
    await at.installation.redis.config("SET", "maxmemory", "1mb");
    const refused = await eventually(async () => {
      const answer = await tell({ event_id: "1.a", label: "fraud" }, { at });
      return answer.status === 503 && answer;
    });
    expect(refused).toEqual(aProblem(503, "memory_shed", { retryable: true }));
    expect((await at.admin("/metrics")).text).toMatch(/assay_outcomes_total\{result="shed",app="ingress"\} \d/);
  });
});

/** Every result of `outcomes_total` so far. */
async function samples(): Promise<Record<string, number>> {
  const { text } = await door.admin("/metrics");
  const found = text.matchAll(/^assay_outcomes_total\{result="(\w+)",app="ingress"\} (\d+)$/gm);
  return Object.fromEntries([...found].map(([, result, value]) => [result, Number(value)]));
}
