import { randomBytes } from "node:crypto";
import { type DeadLetter, readSubmissionState, redriveLetter, walkLetters } from "@assay/ledger";
import { parseSealedKeys, seal, type SealedKey } from "@assay/fingerprint";
import type { Event } from "@assay/protocol";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { anEvent } from "../../support/events.ts";
import { openVendorStack } from "../../support/vendor-stack.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";
import { anInputLetter } from "../ledger/laid-aside.ts";

const RULES = `
ruleset: default
settings: { max_event_age: 120s }
undecided: { default: review }
counters:
  seen: { key: identification.visitor_id, window: 24h }
rules:
  - { id: seen, when: counters.seen < 999, score: 1 }
`;

const KEY_TEXT = randomBytes(32).toString("base64");
const OTHER_KEY = keyOf(KEY_TEXT);
const OVERDUE_MS = 61_000;

let folder: string;
let stack: WorkerStack;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "assay-redrive-"));
  writeFileSync(join(folder, "default.yaml"), RULES);
  stack = await openWorkerStack({ env: { ASSAY_RULESETS: folder } });
});
afterEach(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true });
});

function keyOf(text: string): SealedKey {
  const [key] = parseSealedKeys(text);
  if (key === undefined) throw new Error("A fresh key must be usable.");
  return key;
}

/** Workers learn a key when they start. */
async function runWithKey(): Promise<void> {
  await stack.runWorker({ env: { ASSAY_SEALED_KEYS: KEY_TEXT } });
}

/** Hands in an event by a key that workers do not have; returns its dead letter. */
async function shutOut(event: Event): Promise<DeadLetter & { readonly id: string }> {
  const worker = await stack.runWorker();
  const id = await stack.submitSealed(seal(event, OTHER_KEY), { context: { flow: "login" } });
  expect(await stack.verdict(id)).toMatchObject({ action: "review", undecided: { code: "no_key_opens" } });
  await worker.stop();
  for await (const letter of walkLetters(stack.redis, stack.keys, "input"))
    if (letter.id === id) return { ...letter, id };
  throw new Error("There is no letter.");
}

async function redrive(letter: DeadLetter): Promise<string> {
  const redriven = await redriveLetter(stack.redis, stack.keys, letter);
  if (redriven.status !== "resubmitted") throw new Error(`It was ${redriven.status}.`);
  await stack.producer.ring(redriven.lane, [redriven.id]);
  return redriven.id;
}

const keysLike = (pattern: string) => stack.redis.keys(`${stack.prefix}:{fs1o1}:0:${pattern}`);

describe("a redrive", () => {
  test("is decided by the key that was missing, claims nothing, and counts nowhere", async () => {
    const event = anEvent();
    const letter = await shutOut(event);
    await runWithKey();
    const id = await redrive(letter);
    expect(id).toBe(`${letter.id}~1`);
    const verdict = await stack.verdict(id);
    expect(verdict).toMatchObject({
      id,
      kind: "sealed",
      action: "allow",
      redrive_of: letter.id,
      event_id: event.event_id,
      context: { flow: "login" },
    });
    expect(verdict.reasons[0]?.evidence).toEqual({ "counters.seen": 0 });
    expect(verdict.checks).not.toHaveProperty("reused");
    expect([...(await keysLike("c:*")), ...(await keysLike("n:*"))]).toEqual([]);
    const state = await readSubmissionState(stack.redis, stack.keys, letter.id, Date.now());
    expect(state).toMatchObject({ status: "decided", action: "review", redrivenAs: id });
    expect((await stack.published()).map((one) => one.id)).toEqual([letter.id, id]);
    expect(await stack.redis.zcard(stack.keys.pending("background"))).toBe(0);

    const next = await stack.verdict(await stack.submitSealed(seal(event, OTHER_KEY), { context: { flow: "login" } }));
    expect(next.checks).toMatchObject({ reused: false, use_count: 1 });
  });

  test("is as old as what it is a redrive of, however late it comes", async () => {
    const week = 7 * 86_400_000;
    const event = anEvent({ timestamp: Date.now() - week - 10_000 });
    const letter = await shutOut(event);
    const fields = new Map([...letter.fields, ["received_at", Buffer.from(String(event.timestamp + 10_000))]]);
    await runWithKey();
    const { checks, received_at } = await stack.verdict(await redrive({ ...letter, fields }));
    expect(checks).toMatchObject({ event_age_seconds: 10, stale: false });
    expect(received_at).toBeGreaterThan(event.timestamp + week);
  });

  test("is undecided again where the key is still missing, and may be redriven again", async () => {
    const letter = await shutOut(anEvent());
    const worker = await stack.runWorker();
    const first = await redrive(letter);
    expect(await stack.verdict(first)).toMatchObject({
      undecided: { code: "no_key_opens" },
      redrive_of: letter.id,
    });
    await worker.stop();
    await runWithKey();
    for await (const again of walkLetters(stack.redis, stack.keys, "input")) {
      expect(again.id).toBe(first);
      const second = await redrive(again);
      expect(await stack.verdict(second)).toMatchObject({ id: `${letter.id}~2`, action: "allow", redrive_of: first });
    }
    expect(await stack.redis.exists(stack.keys.verdict(`${letter.id}~2`))).toBe(1);
  });

  test("that nobody rang for is found by the reconciler", async () => {
    const letter = await shutOut(anEvent());
    const redriven = await redriveLetter(stack.redis, stack.keys, letter);
    expect(redriven).toMatchObject({ status: "resubmitted", lane: "background" });
    const id = `${letter.id}~1`;
    await stack.redis.zadd(stack.keys.pending("background"), Date.now() - OVERDUE_MS, id);
    await runWithKey();
    expect(await stack.verdict(id)).toMatchObject({ action: "allow" });
  });
});

describe("a redrive of a lookup", () => {
  test("asks the vendor anew, in the lane that may", async () => {
    const vendor = await openVendorStack({ env: { ASSAY_RULESETS: folder } });
    try {
      const event = anEvent();
      vendor.api.add(event);
      const letter = await anInputLetter(vendor, { kind: "lookup", event_id: event.event_id }, "worker_crashed");
      const redriven = await redriveLetter(vendor.redis, vendor.keys, letter);
      if (redriven.status !== "resubmitted") throw new Error(`It was ${redriven.status}.`);
      await vendor.producer.ring(redriven.lane, [redriven.id]);
      await vendor.runWorker();
      const verdict = await vendor.verdict(redriven.id);
      expect(verdict).toMatchObject({ kind: "lookup", event_source: "lookup", action: "allow", redrive_of: letter.id });
      expect(verdict.checks).not.toHaveProperty("reused");
      expect(await vendor.redis.zcard(vendor.keys.pending("lookups"))).toBe(0);
    } finally {
      await vendor.stop();
    }
  });
});

describe("a redrive of a webhook", () => {
  test("is decided on the body that came", async () => {
    const event = anEvent();
    const payload = Buffer.from(JSON.stringify(event));
    const letter = await anInputLetter(stack, { kind: "webhook", event_id: event.event_id, payload }, "worker_crashed");
    const id = await redrive(letter);
    await stack.runWorker();
    const verdict = await stack.verdict(id);
    expect(verdict).toMatchObject({ kind: "webhook", event_id: event.event_id, redrive_of: letter.id });
    expect(verdict.checks).not.toHaveProperty("stale");
  });
});
