import { randomBytes } from "node:crypto";
import { parseSealedKeys, unseal, verifySignature } from "@assay/fingerprint";
import { Verdict as VerdictSchema } from "@assay/protocol/schemas";
import { describe, expect, test } from "vitest";
import { anEvent, createTestClient, sealEvent, signWebhook } from "./index.ts";

const INPUT = { event_id: "event-1", context: { flow: "login", user_id: "u_1", reference: "o_1", ip: "203.0.113.7" } };

describe("createTestClient", () => {
  test("allows everything by default, by a verdict of the promised shape", async () => {
    const client = createTestClient({ now: () => 1_708_102_555_327 });
    const answer = await client.decide({ ...INPUT, ruleset: "checkout" });
    expect(answer).toMatchObject({ reason: "decided", action: "allow" });
    expect(VerdictSchema.parse(client.verdict(answer.id ?? ""))).toEqual({
      schema: "assay.verdict/1",
      id: answer.id,
      kind: "lookup",
      action: "allow",
      score: 0,
      reasons: [],
      shadow: [],
      unknown: [],
      checks: {},
      coverage: { rules: 0, judged: 0 },
      ruleset: { name: "checkout", digest: "0000000000000000", engine: "assay-testing/1" },
      received_at: 1_708_102_555_327,
      decided_at: 1_708_102_555_327,
      event_id: "event-1",
      context: { flow: "login", user_id: "u_1", reference: "o_1" },
    });
  });

  test("decides as the test says, by an action or by more of a verdict", async () => {
    const reasons = [{ rule: "bad_bot", evidence: { bot: "bad" } }];
    const client = createTestClient({
      decide: ({ event_id: id }) => (id === "bot-1" ? { action: "block", score: 90, reasons, id: "other" } : "review"),
    });
    expect(await client.decide(INPUT)).toMatchObject({ action: "review" });
    const blocked = await client.decide({ event_id: "bot-1" });
    expect(blocked).toMatchObject({ action: "block", verdict: { id: blocked.id, score: 90, reasons } });
  });

  test("asks once for an Idempotency-Key", async () => {
    let asked = 0;
    const client = createTestClient({ decide: () => (++asked === 1 ? "block" : "allow") });
    const options = { idempotencyKey: "login-7" };
    const answers = await Promise.all([client.decide(INPUT, options), client.decide(INPUT, options)]);
    expect(answers.map(({ action }) => action)).toEqual(["block", "block"]);
    expect([asked, client.submitted.length]).toEqual([1, 1]);
  });

  test("shows what was submitted, with its verdict", async () => {
    const client = createTestClient({ decide: ({ event_id: id }) => (id === "open-1" ? undefined : "allow") });
    const decided = await client.submit(INPUT);
    const open = await client.submit({ event_id: "open-1" });
    expect(client.submitted).toMatchObject([
      { id: decided.id, input: INPUT, verdict: { action: "allow" } },
      { id: open.id, input: { event_id: "open-1" } },
    ]);
    expect(client.submitted[1]).not.toHaveProperty("verdict");
    expect(client.verdict(open.id)).toBeUndefined();
  });

  test("keeps the first decision", async () => {
    const client = createTestClient({ decide: () => undefined });
    const { id } = await client.submit(INPUT);
    client.settle(id, "challenge");
    client.settle(id, "block");
    expect(client.verdict(id)?.action).toBe("challenge");
  });

  test("lets nobody change the verdict of another", async () => {
    const client = createTestClient();
    const { id } = await client.submit(INPUT);
    const verdict = client.verdict(id);
    if (verdict !== undefined) verdict.action = "block";
    expect(await client.getVerdict(id)).toMatchObject({ action: "allow" });
  });

  test("keeps what was submitted as it was", async () => {
    const client = createTestClient();
    const input = { event_id: "event-1" };
    await client.submit(input);
    input.event_id = "event-2";
    expect(client.submitted[0]?.input.event_id).toBe("event-1");
  });

  test("knows nothing of another client", async () => {
    const { id } = await createTestClient().submit(INPUT);
    expect(await createTestClient().getVerdict(id)).toBeUndefined();
  });

  test("shows each outcome once", async () => {
    const client = createTestClient();
    await client.submit(INPUT);
    const outcome = { reference: "o_1", label: "fraud" } as const;
    await client.report(outcome, { idempotencyKey: "told-1" });
    await client.report(outcome, { idempotencyKey: "told-1" });
    expect(client.reported).toEqual([outcome]);
  });

  test("takes sixteen outcomes before a decision, as an installation does", async () => {
    const client = createTestClient({ decide: () => undefined });
    const { id } = await client.submit(INPUT);
    const report = () => client.report({ submission_id: id, label: "fraud" });
    for (let told = 0; told < 16; told++) await report();
    await expect(report()).rejects.toMatchObject({ code: "overloaded" });
    client.settle(id, "allow");
    expect(await report()).toMatchObject({ status: "accepted" });
  });

  test.each(["settle", "expire"] as const)("refuses to %s what nobody submitted", (method) => {
    expect(() => createTestClient()[method]("s_1", "allow")).toThrow(RangeError);
  });

  test("refuses to expire what is not decided", async () => {
    const client = createTestClient({ decide: () => undefined });
    const { id } = await client.submit(INPUT);
    expect(() => client.expire(id)).toThrow(RangeError);
  });
});

describe("fail", () => {
  test("makes Assay unavailable, and accepts nothing, until it recovers", async () => {
    const client = createTestClient();
    const { id } = await client.submit({ event_id: "event-2" });
    client.fail("unavailable");
    const options = { otherwise: "challenge", timeoutMs: 60_000, idempotencyKey: "login-7" } as const;
    expect(await client.decide(INPUT, options)).toEqual({ reason: "unavailable", action: "challenge" });
    for (const call of [client.submit(INPUT), client.report({ submission_id: id, label: "fraud" })])
      await expect(call).rejects.toMatchObject({ code: "unavailable", retryable: true });
    await expect(client.getVerdict(id)).rejects.toMatchObject({ code: "unavailable" });
    expect(await client.waitForVerdict(id)).toBeUndefined();
    expect(client.submitted).toHaveLength(1);
    client.recover();
    expect(await client.decide(INPUT, options)).toMatchObject({ reason: "decided" });
  });

  test("makes verdicts come too late for whoever waits", async () => {
    const client = createTestClient({ decide: () => "block" });
    client.fail("timeout");
    const answer = await client.decide(INPUT, { otherwise: "challenge", timeoutMs: 60_000 });
    expect(answer).toEqual({ reason: "timeout", action: "challenge", id: expect.stringMatching(/^s_/) });
    expect(await client.getVerdict(answer.id ?? "")).toMatchObject({ action: "block" });
  });

  test("still refuses what is wrong with the call", async () => {
    const client = createTestClient();
    client.fail("unavailable");
    await expect(client.decide({})).rejects.toMatchObject({ code: "missing_field" });
  });
});

describe("sealEvent", () => {
  test("seals what the key opens", () => {
    const [text, event] = [randomBytes(32).toString("base64"), anEvent()];
    const opened = unseal(Buffer.from(sealEvent(event, text), "base64"), parseSealedKeys(text));
    expect(opened.json).toEqual(event);
  });

  test("is what the client takes", async () => {
    const sealedResult = sealEvent(anEvent(), randomBytes(32).toString("base64"));
    const client = createTestClient();
    expect(await client.decide({ sealed_result: sealedResult })).toMatchObject({ verdict: { kind: "sealed" } });
  });
});

describe("signWebhook", () => {
  test("signs text and bytes alike", () => {
    const body = JSON.stringify({ name: "bücher" });
    const header = signWebhook(body, "secret");
    expect(header).toBe(signWebhook(Buffer.from(body), "secret"));
    expect(verifySignature(Buffer.from(body), header, ["secret"])).toBe(true);
  });
});
