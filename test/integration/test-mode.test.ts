import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AssayClient, createAssayClient, type SubmissionInput, type Verdict } from "@assay/client";
import { seal } from "@assay/fingerprint";
import { ACTIONS, TEST_EVENT_IDS, UNDECIDED_CODES } from "@assay/protocol";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { anEvent, anEventId } from "../support/events.ts";
import { eventually } from "../support/eventually.ts";
import { openWorkerStack, type WorkerStack } from "../support/worker-stack.ts";
import { type OpenIngress, startIngress } from "./ingress/open-ingress.ts";

const RULESETS = {
  default: `
ruleset: default
mode: observe
counters:
  seen: { key: context.user_id, window: 24h }
  failed: { on: outcome, key: context.user_id, window: 24h }
rules: [{ id: counted, when: counters.seen + counters.failed >= 0, score: 1 }]
`,
  login: `
ruleset: login
undecided: { default: challenge, no_key_opens: block, lookup_unavailable: allow }
`,
  _routes: "{ login: login, '*': default }\n",
};

const TEST_KEY = "secret-of-the-tests";

let folder: string;
let stack: WorkerStack;
let adminPort: number;
let door: OpenIngress;
let tester: AssayClient;
let visitors: AssayClient;

// No API key: what a test event needs is nobody outside.
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "assay-test-mode-"));
  for (const [name, yaml] of Object.entries(RULESETS)) writeFileSync(join(folder, `${name}.yaml`), yaml);
  stack = await openWorkerStack({ env: { ASSAY_RULESETS: folder } });
  ({ adminPort } = await stack.runWorker());
  const sha256 = createHash("sha256").update(TEST_KEY).digest("hex");
  const keysFile = join(folder, "keys.json");
  writeFileSync(keysFile, JSON.stringify({ keys: [{ name: "ci", sha256, roles: ["test", "read"] }] }));
  door = await startIngress(inject("redisUrl"), { ASSAY_PREFIX: stack.prefix, ASSAY_KEYS_FILE: keysFile });
  const connection = inject("redisUrl");
  tester = createAssayClient({ connection, prefix: stack.prefix, test: true });
  visitors = createAssayClient({ connection, prefix: stack.prefix });
});
afterAll(async () => {
  await tester.close();
  await visitors.close();
  await door.close();
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function verdictBy(client: AssayClient, input: SubmissionInput): Promise<Verdict> {
  const answer = await client.decide(input, { timeoutMs: 20_000 });
  if (answer.reason !== "decided") throw new Error(`No verdict: ${answer.reason}`);
  return answer.verdict;
}

/** A submission that a visitor made. */
function aVisit(context: SubmissionInput["context"] = {}): SubmissionInput {
  return { sealed_result: Buffer.from(seal(anEvent(), stack.sealedKey)).toString("base64"), context };
}

/** What is stored under names that begin so, behind prefix and tenant. */
async function keysOf(...names: string[]): Promise<string[]> {
  const own = stack.keys.record("");
  const found = await stack.redis.keys(`${stack.prefix}:*`);
  return found.filter((key) => names.some((name) => key.startsWith(`${own.slice(0, -2)}${name}:`)));
}

/** The worker's metrics, once they tell of every verdict in the stream: they are written after it. */
async function settledMetrics(): Promise<string[]> {
  const verdicts = await stack.published();
  const tests = verdicts.filter((verdict) => verdict.test === true).length;
  return eventually(async () => {
    const lines = (await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()).split("\n");
    expect(totalOf(lines, "assay_test_verdicts_total")).toBe(tests);
    expect(totalOf(lines, "assay_verdicts_total")).toBe(verdicts.length - tests);
    return lines;
  });
}

function totalOf(lines: readonly string[], metric: string): number {
  const values = lines.filter((line) => line.startsWith(`${metric}{`)).map((line) => Number(line.split(" ").at(-1)));
  return values.reduce((sum, value) => sum + value, 0);
}

describe("a test event", () => {
  test.each(ACTIONS)("test_%s is decided so, also by a ruleset that only observes", async (action) => {
    const context = { user_id: "anna", reference: "order-7" };
    const event_id = `test_${action}`;
    expect(await verdictBy(tester, { event_id, context })).toEqual({
      schema: "assay.verdict/1",
      id: expect.stringMatching(/^s_/),
      kind: "lookup",
      action,
      score: 0,
      reasons: [{ rule: "test", action, message: "Test event", evidence: { event_id } }],
      shadow: [],
      unknown: [],
      checks: {},
      coverage: { rules: 0, judged: 0 },
      ruleset: expect.objectContaining({ name: "default" }),
      received_at: expect.any(Number),
      decided_at: expect.any(Number),
      event_id,
      context,
      test: true,
    });
  });

  const OWN: Record<string, string> = { no_key_opens: "block", lookup_unavailable: "allow" };
  test.each(UNDECIDED_CODES)("test_undecided_%s is undecided, with the action of its flow's ruleset", async (code) => {
    const event_id = `test_undecided_${code}`;
    expect(await verdictBy(tester, { event_id, context: { flow: "login" } })).toMatchObject({
      action: OWN[code] ?? "challenge",
      reasons: [],
      ruleset: { name: "login" },
      undecided: { code },
      event_id,
      test: true,
    });
  });

  test("is decided by the ruleset that it names, and is undecided when there is none", async () => {
    expect(await verdictBy(tester, { event_id: "test_block", ruleset: "login" })).toMatchObject({
      action: "block",
      ruleset: { name: "login" },
    });
    expect(await verdictBy(tester, { event_id: "test_block", ruleset: "nobody" })).toMatchObject({
      undecided: { code: "ruleset_not_found" },
      reasons: [],
      test: true,
    });
  });

  test("test_slow is snoozed, not decided within 300 ms, and allowed 5 s after it came", async () => {
    const answer = await tester.decide({ event_id: "test_slow" }, { timeoutMs: 300, otherwise: "challenge" });
    expect(answer).toMatchObject({ reason: "timeout", action: "challenge" });
    const id = answer.id ?? "";
    await eventually(async () => {
      expect((await door.read(`/v1/submissions/${id}`)).json).toMatchObject({
        status: "snoozed",
        snoozed: { why: "test_slow" },
      });
    });
    const verdict = await tester.waitForVerdict(id, { timeoutMs: 20_000 });
    expect(verdict).toMatchObject({ action: "allow", reasons: [{ rule: "test" }], test: true });
    const { received_at: receivedAt = 0, decided_at: decidedAt = 0 } = verdict ?? {};
    expect(decidedAt - receivedAt).toBeGreaterThanOrEqual(5000);
  });

  test("is waited for and read over HTTP like any other", async () => {
    const { id } = await tester.submit({ event_id: "test_review" });
    const json = expect.objectContaining({ id, action: "review", test: true });
    expect(await door.read(`/v1/verdicts/${id}?wait=20`)).toMatchObject({ status: 200, json });
    expect((await door.read("/v1/events/test_review/verdicts")).json).toMatchObject({
      verdicts: expect.arrayContaining([json]),
    });
  });

  test("goes with nothing else through a client for tests, and with no other client", async () => {
    const forbidden = { code: "forbidden", field: "event_id" };
    await expect(tester.submit({ event_id: anEventId() })).rejects.toMatchObject(forbidden);
    await expect(tester.submit(aVisit())).rejects.toMatchObject(forbidden);
    await expect(visitors.submit({ event_id: "test_allow" })).rejects.toMatchObject(forbidden);
    const sealed = { ...aVisit(), event_id: "test_allow" };
    await expect(visitors.submit(sealed)).rejects.toMatchObject({ code: "invalid_field", field: "event_id" });
    await expect(tester.submit({ event_id: "test_nothing" })).rejects.toMatchObject({ code: "invalid_field" });
  });
});

describe("a test verdict", () => {
  // The record, the verdict, the list of the event and what an outcome leaves are not among them.
  const TRACES = ["n", "nd", "c", "ev", "r"];
  // All but its own, Node's, and what tells of the installation.
  const MEASURES = /^assay_(?!test_|process_|nodejs_|queue_|pending|dead_|stream_|ruleset_|reconciler_|redis_|build_)/;

  test("is counted by no counter, claims nothing, and is found by no reference", async () => {
    const before = await keysOf(...TRACES);
    for (const event_id of TEST_EVENT_IDS.filter((id) => id !== "test_slow")) {
      await verdictBy(tester, { event_id, context: { user_id: "cleo", reference: "order-8" } });
    }
    expect(await keysOf(...TRACES)).toEqual(before);
    expect(await keysOf("dead")).toEqual([]);
    expect(await verdictBy(visitors, aVisit({ user_id: "cleo", reference: "order-8" }))).toMatchObject({
      reasons: [{ evidence: { "counters.seen": 1 } }],
    });
    expect((await keysOf("n", "nd", "c", "r")).length).toBeGreaterThan(before.length);
  });

  test("takes an outcome, which is kept and counts nothing", async () => {
    const { id } = await verdictBy(tester, { event_id: "test_block", context: { user_id: "bert" } });
    expect(await visitors.report({ submission_id: id, outcome: "login_failed" })).toMatchObject({ status: "accepted" });
    expect((await door.read(`/v1/submissions/${id}`)).json).toMatchObject({ outcomes: [{ outcome: "login_failed" }] });
    expect(await verdictBy(visitors, aVisit({ user_id: "bert" }))).toMatchObject({
      reasons: [{ evidence: { "counters.seen": 1, "counters.failed": 0 } }],
    });
  });

  test("is not what an outcome of its reference is about", async () => {
    const reference = "order-9";
    await verdictBy(tester, { event_id: "test_block", context: { reference } });
    const chargeback = { reference, outcome: "chargeback" };
    await expect(visitors.report(chargeback)).rejects.toMatchObject({ code: "submission_not_found" });
    const visit = await verdictBy(visitors, aVisit({ reference }));
    await verdictBy(tester, { event_id: "test_block", context: { reference } });
    expect(await visitors.report(chargeback)).toMatchObject({ submission_id: visit.id });
  });

  test("goes to consumers that ask for tests, and to no other", async () => {
    const first = await verdictBy(visitors, aVisit());
    const tested = await verdictBy(tester, { event_id: "test_block" });
    const last = await verdictBy(visitors, aVisit());
    const seen: Record<"usual" | "none" | "tests", Verdict[]> = { usual: [], none: [], tests: [] };
    const place = { from: "beginning", concurrency: 1 } as const;
    visitors.consume({ ...place, group: "usual" }, (verdict) => void seen.usual.push(verdict));
    const none = { ...place, group: "none", filter: { test: false } };
    visitors.consume(none, (verdict) => void seen.none.push(verdict));
    const tests = { ...place, group: "tests", filter: { test: true } };
    visitors.consume(tests, (verdict) => void seen.tests.push(verdict));
    await eventually(() => {
      for (const verdicts of [seen.usual, seen.none]) expect(verdicts).toContainEqual(last);
      expect(seen.tests).toContainEqual(tested);
    });
    for (const verdicts of [seen.usual, seen.none]) {
      expect(verdicts).toContainEqual(first);
      expect(verdicts.filter((verdict) => verdict.test === true)).toEqual([]);
    }
    expect(seen.tests.filter((verdict) => verdict.test !== true)).toEqual([]);
  });

  test("is counted in a metric of its own, and changes no other that a verdict changes", async () => {
    await verdictBy(visitors, aVisit());
    const before = await settledMetrics();
    await verdictBy(tester, { event_id: "test_block" });
    const after = await settledMetrics();
    expect(totalOf(after, "assay_test_verdicts_total")).toBe(totalOf(before, "assay_test_verdicts_total") + 1);
    const measured = (lines: string[]) => lines.filter((line) => MEASURES.test(line));
    expect(measured(before).join("\n")).toContain("assay_accept_to_verdict_seconds_count");
    expect(measured(after)).toEqual(measured(before));
  });
});

test("a test verdict says in the log that it is one", async () => {
  const own = await openWorkerStack();
  const client = createAssayClient({ connection: inject("redisUrl"), prefix: own.prefix, test: true });
  try {
    const worker = await own.startWorker({ env: { LOG_LEVEL: "info" } });
    const { id } = await client.submit({ event_id: "test_block" });
    expect(await worker.line((line) => line["id"] === id)).toMatchObject({
      msg: "verdict",
      action: "block",
      test: true,
    });
  } finally {
    await client.close();
    await own.stop();
  }
});

describe("a key with the role test", () => {
  const headers = { authorization: `Bearer ${TEST_KEY}` };

  test("sends test events over HTTP and reads their verdicts", async () => {
    const answer = await door.submit({ event_id: "test_block" }, { wait: 20, headers });
    expect(answer).toMatchObject({ status: 200, json: { action: "block", test: true } });
    const { id } = JSON.parse(answer.text);
    expect(await door.request(`/v1/verdicts/${id}`, { headers })).toMatchObject({ status: 200, json: { id } });
  });

  test("sends nothing else", async () => {
    const answer = await door.submit({ event_id: anEventId() }, { headers });
    expect(answer).toMatchObject({ status: 403, json: { code: "forbidden" } });
  });

  test("tells no outcome straight to Redis either", async () => {
    const told = tester.report({ reference: "order-1", outcome: "paid" });
    await expect(told).rejects.toMatchObject({ code: "forbidden" });
  });

  test("tells no outcome", async () => {
    const answer = await door.request("/v1/outcomes", {
      method: "POST",
      headers: { ...headers, "content-type": "application/json", "idempotency-key": "o-1" },
      body: JSON.stringify({ reference: "order-1", outcome: "paid" }),
    });
    expect(answer).toMatchObject({ status: 403, json: { code: "forbidden" } });
  });
});
