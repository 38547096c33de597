import { randomUUID } from "node:crypto";
import { type AssayClient, type OutcomeInput, ProblemError, type SubmissionInput } from "@assay/client";
import { type Action, outcomeId, submissionId } from "@assay/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { streamConformance } from "./stream-conformance.ts";

/** A client under test, and a hand that decides in the worker's place. */
export interface Subject {
  readonly client: AssayClient;
  /** Publishes a verdict on every accepted submission; returns their ids. */
  decideAll(action?: Action): Promise<string[]>;
  /** Drops a verdict as its time would. */
  expire(id: string): Promise<void>;
  close(): Promise<void>;
}

const SEALED = Buffer.from("a sealed result").toString("base64");
const DAY_MS = 24 * 60 * 60 * 1000;

/** What every transport promises: the same ids, results and problems. The key name is `default`. */
export function clientConformance(name: string, setup: () => Promise<Subject>): void {
  describe.each([name])("%s", () => {
    let subject: Subject;
    let client: AssayClient;

    beforeEach(async () => {
      subject = await setup();
      ({ client } = subject);
    });

    afterEach(async () => {
      await subject.client.close();
      await subject.close();
    });

    async function decideSoon(action?: Action): Promise<string[]> {
      return eventually(async () => {
        const ids = await subject.decideAll(action);
        return ids.length > 0 ? ids : false;
      });
    }

    describe("decide", () => {
      test("answers with the verdict", async () => {
        const deciding = client.decide({ sealed_result: SEALED }, { timeoutMs: 10_000 });
        const [id] = await decideSoon("block");
        expect(await deciding).toMatchObject({
          reason: "decided",
          action: "block",
          id,
          verdict: { id, kind: "sealed" },
        });
      });

      test("answers otherwise when there is no verdict in time", async () => {
        const startedAt = performance.now();
        const answer = await client.decide({ sealed_result: SEALED }, { timeoutMs: 400, otherwise: "challenge" });
        expect(performance.now() - startedAt).toBeLessThan(1000);
        expect(answer).toEqual({ reason: "timeout", action: "challenge", id: expect.stringMatching(/^s_/) });
        expect(await subject.decideAll()).toEqual([answer.id]);
      });

      test("allows by default when there is no verdict", async () => {
        expect(await client.decide({ event_id: "event-1" }, { timeoutMs: 300 })).toMatchObject({ action: "allow" });
      });

      test("throws what is wrong with the call", async () => {
        await expect(client.decide({})).rejects.toMatchObject({ code: "missing_field", field: "event_id" });
      });

      test("throws on a test event, which a visitor may have sent", async () => {
        await expect(client.decide({ event_id: "test_allow" })).rejects.toMatchObject({ code: "forbidden" });
        expect(await subject.decideAll()).toEqual([]);
      });

      test("throws when the key was used for other content", async () => {
        const options = { idempotencyKey: randomUUID(), timeoutMs: 2000 };
        await client.submit({ event_id: "event-1" }, options);
        await expect(client.decide({ event_id: "event-2" }, options)).rejects.toMatchObject({
          code: "submission_conflict",
          field: "event_id",
        });
      });

      test("ends with the reason of its signal", async () => {
        const controller = new AbortController();
        const deciding = client.decide({ event_id: "event-1" }, { timeoutMs: 10_000, signal: controller.signal });
        controller.abort(new Error("the visitor left"));
        await expect(deciding).rejects.toThrow("the visitor left");
      });
    });

    describe("submit", () => {
      test("names the submission by the key", async () => {
        expect(await client.submit({ event_id: "event-1" }, { idempotencyKey: "login-7" })).toMatchObject({
          id: submissionId("0", "default", "login-7"),
          status: "accepted",
        });
      });

      test("gives each call a key of its own", async () => {
        const input = { event_id: "event-1" };
        const [first, second] = await Promise.all([client.submit(input), client.submit(input)]);
        expect(first.id).not.toBe(second.id);
      });

      test("says of a repetition that it is known, and then that it is decided", async () => {
        const options = { idempotencyKey: randomUUID() };
        const { id } = await client.submit({ event_id: "event-1" }, options);
        expect(await client.submit({ event_id: "event-1" }, options)).toMatchObject({ id, status: "duplicate" });
        await subject.decideAll();
        expect(await client.submit({ event_id: "event-1" }, options)).toMatchObject({ id, status: "decided" });
        await subject.expire(id);
        expect(await client.submit({ event_id: "event-1" }, options)).toMatchObject({ id, status: "decided" });
      });

      test("names what differs under a key that was used", async () => {
        const options = { idempotencyKey: randomUUID() };
        const { id } = await client.submit({ event_id: "event-1", context: { flow: "login" } }, options);
        const again = client.submit({ event_id: "event-1", context: { flow: "checkout" } }, options);
        await expect(again).rejects.toMatchObject({
          code: "submission_conflict",
          field: "context",
          id,
          message: expect.stringContaining("another context"),
        });
      });

      test.each<[string, unknown, object]>([
        ["an unknown field", { requestId: "event-1" }, { code: "unknown_field", field: "requestId" }],
        [
          "an ip that is a list",
          { event_id: "e", context: { ip: "203.0.113.1, 10.0.0.1" } },
          { code: "invalid_field", field: "context.ip" },
        ],
        ["no base64", { sealed_result: "***" }, { code: "invalid_field", field: "sealed_result" }],
        [
          "too much sealed",
          { sealed_result: Buffer.alloc(128 * 1024 + 1).toString("base64") },
          { code: "payload_too_large" },
        ],
        [
          "an event that was observed two days ago",
          { event_id: "e", context: { observed_at: Date.now() - 2 * DAY_MS } },
          { code: "invalid_field", field: "context.observed_at" },
        ],
      ])("refuses %s", async (_, input, problem) => {
        const submitting = client.submit(unchecked(input));
        await expect(submitting).rejects.toBeInstanceOf(ProblemError);
        await expect(submitting).rejects.toMatchObject({ ...problem, retryable: false });
      });

      test.each<[string, string, string]>([
        ["the event id", "event-1", "idempotency_key_is_event_id"],
        ["no visible ASCII", "bücher", "idempotency_key_invalid"],
      ])("refuses a key that is %s", async (_, idempotencyKey, code) => {
        await expect(client.submit({ event_id: "event-1" }, { idempotencyKey })).rejects.toMatchObject({ code });
      });
    });

    describe("submitMany", () => {
      test("answers in the order of the inputs, each with its own problem", async () => {
        const inputs = [{ event_id: "event-1" }, {}, { sealed_result: SEALED }];
        const results = await client.submitMany(inputs, { idempotencyKey: (_, index) => `row-${index}` });
        expect(results).toMatchObject([
          { ok: true, id: submissionId("0", "default", "row-0"), status: "accepted" },
          { ok: false, problem: { code: "missing_field" } },
          { ok: true, id: submissionId("0", "default", "row-2"), status: "accepted" },
        ]);
      });

      test("takes more than may be under way at once", async () => {
        const inputs = Array.from({ length: 150 }, (_, index) => ({ event_id: `event-${index}` }));
        const results = await client.submitMany(inputs, { timeoutMs: 30_000 });
        expect(results.filter(({ ok }) => ok)).toHaveLength(150);
      });
    });

    describe("report", () => {
      test("names the outcome by the key, and the submission that took it", async () => {
        const { id } = await client.submit({ event_id: "event-1" });
        const outcome: OutcomeInput = { submission_id: id, outcome: "login_failed" };
        const options = { idempotencyKey: "outcome-7" };
        const receipt = { id: outcomeId("0", "default", "outcome-7"), submission_id: id };
        expect(await client.report(outcome, options)).toMatchObject({ ...receipt, status: "accepted" });
        expect(await client.report(outcome, options)).toMatchObject({ ...receipt, status: "duplicate" });
      });

      test("gives each call a key of its own", async () => {
        const { id } = await client.submit({ event_id: "event-1" });
        const outcome: OutcomeInput = { submission_id: id, label: "fraud" };
        const [first, second] = await Promise.all([client.report(outcome), client.report(outcome)]);
        expect([first.status, second.status]).toEqual(["accepted", "accepted"]);
        expect(first.id).not.toBe(second.id);
      });

      test("finds a decided submission by its event", async () => {
        const eventId = randomUUID();
        const { id } = await client.submit({ event_id: eventId });
        const outcome: OutcomeInput = { event_id: eventId, label: "legit" };
        await expect(client.report(outcome)).rejects.toMatchObject({ code: "submission_not_found", field: "event_id" });
        await subject.decideAll();
        expect(await client.report(outcome)).toMatchObject({ submission_id: id });
      });

      test("refuses another outcome under a key that was used", async () => {
        const { id } = await client.submit({ event_id: "event-1" });
        const options = { idempotencyKey: randomUUID() };
        await client.report({ submission_id: id, label: "fraud" }, options);
        await expect(client.report({ submission_id: id, label: "legit" }, options)).rejects.toMatchObject({
          code: "outcome_conflict",
          id: outcomeId("0", "default", options.idempotencyKey),
          retryable: false,
        });
      });

      test.each<[string, unknown, object]>([
        ["an unknown field", { submissionId: "s_1", label: "fraud" }, { code: "unknown_field", field: "submissionId" }],
        ["nothing to tell", { event_id: "e" }, { code: "missing_field", field: "outcome" }],
        ["a label of its own", { event_id: "e", label: "bad" }, { code: "invalid_field", field: "label" }],
      ])("refuses %s", async (_, outcome, problem) => {
        const reporting = client.report(unchecked(outcome));
        await expect(reporting).rejects.toBeInstanceOf(ProblemError);
        await expect(reporting).rejects.toMatchObject({ ...problem, retryable: false });
      });

      test("refuses a time that lies ahead", async () => {
        const { id } = await client.submit({ event_id: "event-1" });
        const outcome: OutcomeInput = { submission_id: id, label: "fraud", occurred_at: Date.now() + 60_000 };
        await expect(client.report(outcome)).rejects.toMatchObject({ code: "invalid_field", field: "occurred_at" });
      });

      test("refuses a key that is the event id", async () => {
        const reporting = client.report({ event_id: "event-1", label: "fraud" }, { idempotencyKey: "event-1" });
        await expect(reporting).rejects.toMatchObject({ code: "idempotency_key_is_event_id" });
      });

      test("ends with the reason of its signal", async () => {
        const signal = AbortSignal.abort(new Error("the caller left"));
        await expect(client.report({ event_id: "event-1", label: "fraud" }, { signal })).rejects.toThrow("left");
      });
    });

    describe("waitForVerdict", () => {
      test("brings the verdict when it comes", async () => {
        const { id } = await client.submit({ event_id: "event-1" });
        const waiting = client.waitForVerdict(id, { timeoutMs: 10_000 });
        await subject.decideAll("review");
        expect(await waiting).toMatchObject({ id, action: "review" });
      });

      test("is undefined when there is none in time", async () => {
        const { id } = await client.submit({ event_id: "event-1" });
        const startedAt = performance.now();
        expect(await client.waitForVerdict(id, { timeoutMs: 300 })).toBeUndefined();
        expect(performance.now() - startedAt).toBeLessThan(1000);
      });

      test("waits for an id that is not known yet", async () => {
        const idempotencyKey = randomUUID();
        const id = submissionId("0", "default", idempotencyKey);
        const waiting = client.waitForVerdict(id, { timeoutMs: 10_000 });
        await client.submit({ event_id: "event-1" }, { idempotencyKey });
        await subject.decideAll();
        expect(await waiting).toMatchObject({ id });
      });

      test("says that a verdict is no longer kept", async () => {
        const { id } = await client.submit({ event_id: "event-1" });
        await subject.decideAll();
        await subject.expire(id);
        await expect(client.waitForVerdict(id)).rejects.toMatchObject({ code: "verdict_expired", id });
      });
    });

    describe("getVerdict", () => {
      test("tells pending, decided, expired and unknown apart", async () => {
        const { id } = await client.submit({ event_id: "event-1", context: { flow: "login", reference: "o-1" } });
        expect(await client.getVerdict(id)).toBe("pending");
        await subject.decideAll("challenge");
        expect(await client.getVerdict(id)).toMatchObject({
          schema: "assay.verdict/1",
          id,
          action: "challenge",
          context: { flow: "login", reference: "o-1" },
        });
        await subject.expire(id);
        await expect(client.getVerdict(id)).rejects.toMatchObject({ code: "verdict_expired", id });
        expect(await client.getVerdict(submissionId("0", "default", randomUUID()))).toBeUndefined();
      });

      test("knows no id that has not the form of one", async () => {
        expect(await client.getVerdict("../other")).toBeUndefined();
      });
    });

    streamConformance(() => subject);

    describe("close", () => {
      test("leaves decide an answer and nothing else", async () => {
        await client.close();
        await client.close();
        expect(await client.decide({ event_id: "event-1" })).toEqual({ reason: "unavailable", action: "allow" });
        await expect(client.submit({ event_id: "event-1" })).rejects.toMatchObject({ code: "unavailable" });
        const reporting = client.report({ event_id: "event-1", label: "fraud" });
        await expect(reporting).rejects.toMatchObject({ code: "unavailable" });
      });
    });
  });
}

// What a caller without types may hand in.
function unchecked(input: unknown): SubmissionInput & OutcomeInput {
  return JSON.parse(JSON.stringify(input));
}
