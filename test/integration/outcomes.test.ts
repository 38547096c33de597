import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAssayClient, type AssayClient, type OutcomeInput } from "@assay/client";
import { seal } from "@assay/fingerprint";
import type { Event, Verdict } from "@assay/protocol";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { anEvent } from "../support/events.ts";
import { openWorkerStack, type WorkerStack } from "../support/worker-stack.ts";
import { type OpenIngress, startIngress } from "./ingress/open-ingress.ts";

const RULESET = `
ruleset: default
thresholds: { block: 80 }
counters:
  failed_logins: { on: outcome, key: identification.visitor_id, where: outcome == "login_failed", window: 24h }
  accounts_of_fraud:
    on: outcome
    key: identification.visitor_id
    distinct: context.user_id
    where: label == "fraud" && context.flow == "login"
    window: 24h
rules:
  - id: many_failed_logins
    when: counters.failed_logins >= 3
    action: challenge
    message: Many failed logins
  - { id: some_failed_logins, when: counters.failed_logins >= 1, score: 1 }
  - { id: known_fraud, when: counters.accounts_of_fraud >= 2, score: 80 }
`;

let folder: string;
let stack: WorkerStack;
let door: OpenIngress;
let client: AssayClient;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "assay-outcomes-"));
  writeFileSync(join(folder, "default.yaml"), RULESET);
  stack = await openWorkerStack({ env: { ASSAY_RULESETS: folder } });
  door = await startIngress(inject("redisUrl"), { ASSAY_PREFIX: stack.prefix, ASSAY_INGRESS_KEYS: "secret" });
  client = createAssayClient({ url: door.baseUrl, key: "secret" });
});
afterEach(async () => {
  await client.close();
  await door.close();
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What one visitor does, and what becomes of it. */
function aVisitor() {
  const { identification } = anEvent();
  const submit = (user_id: string, reference: string, event: Event) =>
    client.submit({
      sealed_result: Buffer.from(seal(event, stack.sealedKey)).toString("base64"),
      context: { flow: "login", user_id, reference },
    });
  return {
    /** Hands a login in, with an event of its own; returns its id. */
    submit: async ({ userId = "anna", reference = randomUUID(), event = {} }: Login = {}) =>
      (
        await submit(
          userId,
          reference,
          anEvent({ ...event, ...(identification === undefined ? {} : { identification }) }),
        )
      ).id,
    /** The next login's verdict. */
    async next(): Promise<Verdict> {
      return stack.verdict(await this.submit());
    },
    /** How many failed logins the next verdict knows of. */
    async failedLogins(): Promise<unknown> {
      const { reasons } = await this.next();
      return reasons.find(({ rule }) => rule === "some_failed_logins")?.evidence["counters.failed_logins"] ?? 0;
    },
  };
}

interface Login {
  readonly userId?: string;
  readonly reference?: string;
  readonly event?: Partial<Event>;
}

const FAILED = { outcome: "login_failed" } satisfies OutcomeInput;

describe("an outcome", () => {
  test("changes the next verdict on the same visitor, and on no other", async () => {
    await stack.runWorker();
    const [visitor, other] = [aVisitor(), aVisitor()];
    for (let n = 0; n < 3; n++) {
      expect((await visitor.next()).action).toBe("allow");
      const { id } = await visitor.next();
      await client.report({ submission_id: id, ...FAILED });
    }
    expect(await visitor.next()).toMatchObject({
      action: "challenge",
      reasons: [{ rule: "many_failed_logins", evidence: { "counters.failed_logins": 3 } }, {}],
    });
    expect(await other.next()).toMatchObject({ action: "allow", reasons: [] });
  });

  test("is no use of the event, and does not change the verdict that it is about", async () => {
    await stack.runWorker();
    const visitor = aVisitor();
    const verdict = await visitor.next();
    await client.report({ submission_id: verdict.id, ...FAILED });
    expect(await client.getVerdict(verdict.id)).toEqual(verdict);
    expect(await visitor.failedLogins()).toBe(1);
  });

  test.each<[string, (login: { id: string; eventId: string; reference: string }) => OutcomeInput]>([
    ["submission", ({ id }) => ({ submission_id: id })],
    ["event", ({ eventId }) => ({ event_id: eventId })],
    ["reference", ({ reference }) => ({ reference })],
  ])("is found by its %s", async (_, aboutOf) => {
    await stack.runWorker();
    const visitor = aVisitor();
    const [reference, eventId] = [randomUUID(), anEvent().event_id];
    const id = await visitor.submit({ reference, event: { event_id: eventId } });
    await stack.verdict(id);
    await stack.verdict(await stack.submitWebhook(anEvent({ event_id: eventId })));
    expect(await client.report({ ...aboutOf({ id, eventId, reference }), ...FAILED })).toMatchObject({
      submission_id: id,
    });
    expect(await visitor.failedLogins()).toBe(1);
  });

  test("counts once, however often and by whatever names it is told", async () => {
    await stack.runWorker();
    const visitor = aVisitor();
    const { id, event_id: eventId = "" } = await visitor.next();
    const options = { idempotencyKey: randomUUID() };
    await Promise.all(Array.from({ length: 50 }, () => client.report({ submission_id: id, ...FAILED }, options)));
    await client.report({ submission_id: id, ...FAILED });
    await client.report({ event_id: eventId, ...FAILED });
    expect(await visitor.failedLogins()).toBe(1);
  });

  test("counts by its label and by distinct values of the submission that it is about", async () => {
    await stack.runWorker();
    const visitor = aVisitor();
    for (const userId of ["anna", "anna", "bert"]) {
      expect((await visitor.next()).action).toBe("allow");
      const id = await visitor.submit({ userId });
      await stack.verdict(id);
      await client.report({ submission_id: id, label: "fraud" });
    }
    expect(await visitor.next()).toMatchObject({ action: "block", score: 80 });
  });

  test("counts at the time when it occurred", async () => {
    await stack.runWorker();
    const visitor = aVisitor();
    const { id } = await visitor.next();
    await client.report({ submission_id: id, ...FAILED, occurred_at: Date.now() - 25 * 3_600_000 });
    expect(await visitor.failedLogins()).toBe(0);
  });

  test("is kept when it is told before the decision, and counts from that on", async () => {
    const visitor = aVisitor();
    const id = await visitor.submit();
    await client.report({ submission_id: id, ...FAILED });
    await client.report({ submission_id: id, outcome: "paid", label: "legit" });
    await stack.runWorker();
    await stack.verdict(id);
    expect(await visitor.failedLogins()).toBe(1);
    expect(
      (await door.request(`/v1/submissions/${id}`, { headers: { authorization: "Bearer secret" } })).json,
    ).toMatchObject({
      status: "decided",
      label: "legit",
      outcomes: [{ outcome: "login_failed" }, { outcome: "paid" }],
    });
  });

  test("counts also when it is told at the moment of the decision", async () => {
    await stack.runWorker();
    const visitor = aVisitor();
    const ids = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const id = await visitor.submit();
        await client.report({ submission_id: id, ...FAILED });
        return id;
      }),
    );
    await Promise.all(ids.map((id) => stack.verdict(id)));
    expect(await visitor.failedLogins()).toBe(100);
  });

  test("is not lost when the worker is killed between pinning and publishing", { timeout: 120_000 }, async () => {
    const visitor = aVisitor();
    const id = await visitor.submit();
    await client.report({ submission_id: id, ...FAILED });
    const { redis, keys } = stack;
    // No verdict can be published while a text stands where the stream would be.
    await redis.set(keys.verdicts(), "in the way");
    const worker = await stack.startWorker();
    await eventually(async () => (await redis.hexists(keys.record(id), "oc")) === 1, { timeoutMs: 30_000 });
    await client.report({ submission_id: id, label: "fraud" });
    await worker.kill("SIGKILL");
    expect(await redis.exists(keys.verdict(id))).toBe(0);
    await redis.del(keys.verdicts());
    await stack.startWorker();
    await stack.verdict(id, { timeoutMs: 90_000 });
    expect(await visitor.failedLogins()).toBe(1);
    expect(await client.report({ submission_id: id, outcome: "paid" })).toMatchObject({ status: "accepted" });
  });
});
