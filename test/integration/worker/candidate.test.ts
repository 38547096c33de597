import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Verdict } from "@assay/protocol/schemas";
import type { RunningWorker } from "@assay/worker";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { aBot, anEvent } from "../../support/events.ts";
import { eventually } from "../../support/eventually.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";

let folder: string;
let stack: WorkerStack;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "assay-candidate-"));
  stack = await openWorkerStack({ env: { ASSAY_RULESETS: folder } });
});
afterEach(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

const RULES = `
rules:
  - { id: bad_bot, when: bot == "bad", action: block }
  - { id: tried_vpn, when: vpn, score: 5, mode: shadow }
  - { id: tried_lie, when: location_spoofing, score: 5, mode: shadow }
`;
const CANDIDATE = `
ruleset: next
counters: { seen: { key: identification.visitor_id, window: 24h } }
rules:
  - { id: hidden, when: vpn, action: review }
  - { id: seen_again, when: counters.seen > 1, action: challenge }
`;

async function runWorker(files: { default: string; next?: string }): Promise<RunningWorker> {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `${name}.yaml`), text);
  return await stack.runWorker();
}

const decide = async (event = anEvent()) => await stack.verdict(await stack.submitSealed(event));

/** Waits until the worker has counted what is expected: it counts after it has published. */
async function expectSamples({ adminPort }: RunningWorker, expected: readonly string[]): Promise<void> {
  const names = expected.map((sample) => sample.replace(/\{.*/, ""));
  await eventually(async () => {
    const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
    const samples = text.split("\n").filter((line) => names.some((name) => line.startsWith(`${name}{`)));
    expect(samples.map((line) => line.replace(/,?app="worker"/, "")).toSorted()).toEqual(expected);
  });
}

describe("a candidate", () => {
  test("is judged beside the ruleset that decides, and changes nothing of it", async () => {
    await runWorker({ default: `ruleset: default\ncandidate: next\n${RULES}`, next: CANDIDATE });
    const event = aBot({ vpn: true });
    const verdict = await decide(event);
    expect(Verdict.parse(verdict)).toEqual(verdict);
    expect(verdict).toMatchObject({
      action: "block",
      ruleset: { name: "default" },
      reasons: [{ rule: "bad_bot" }],
      candidate: {
        ruleset: { name: "next", digest: expect.stringMatching(/^\w{16}$/) },
        action: "review",
        score: 0,
        rules: ["hidden"],
      },
    });
    // Its counters are its own business.
    expect(verdict).not.toHaveProperty("degraded");
  });

  test("has counters that the other ruleset does not know", async () => {
    await runWorker({ default: `ruleset: default\ncandidate: next\n${RULES}`, next: CANDIDATE });
    const { identification = {} } = anEvent();
    await decide(anEvent({ identification }));
    expect((await decide(anEvent({ identification }))).candidate).toMatchObject({
      action: "challenge",
      rules: ["seen_again"],
    });
  });

  test("counts in no counter of a ruleset that decides", async () => {
    const other = CANDIDATE.replace("next", "other");
    writeFileSync(join(folder, "other.yaml"), other);
    writeFileSync(join(folder, "_routes.yaml"), "{ checkout: other }\n");
    await runWorker({ default: `ruleset: default\ncandidate: next\n${RULES}`, next: CANDIDATE });
    const { identification = {} } = anEvent();
    for (let n = 0; n < 3; n++) await decide(anEvent({ identification }));
    const checkout = () => stack.submitSealed(anEvent({ identification }), { context: { flow: "checkout" } });
    expect(await stack.verdict(await checkout())).toMatchObject({ ruleset: { name: "other" }, action: "allow" });
    expect(await stack.verdict(await checkout())).toMatchObject({ action: "challenge" });
    // It sees what they count.
    expect((await decide(anEvent({ identification }))).candidate).toMatchObject({ rules: ["seen_again"] });
  });

  test("is compared by what both would do, where the ruleset only observes", async () => {
    const worker = await runWorker({
      default: `ruleset: default\nmode: observe\ncandidate: next\n${RULES}`,
      next: `mode: observe${CANDIDATE}`,
    });
    expect(await decide(aBot({ vpn: true }))).toMatchObject({
      action: "allow",
      would_be: "block",
      candidate: { action: "review" },
    });
    await expectSamples(worker, ['assay_candidate_flips_total{from="block",to="review"} 1']);
  });

  test("is counted only where its action is another", async () => {
    const worker = await runWorker({ default: `ruleset: default\ncandidate: next\n${RULES}`, next: CANDIDATE });
    await decide();
    await decide(anEvent({ vpn: true }));
    await decide(anEvent({ vpn: true }));
    await expectSamples(worker, ['assay_candidate_flips_total{from="allow",to="review"} 2']);
  });

  test("is absent where nothing could be decided", async () => {
    await runWorker({ default: `ruleset: default\ncandidate: next\n${RULES}`, next: CANDIDATE });
    const verdict = await stack.verdict(await stack.submitSealed(new Uint8Array(64).fill(7)));
    expect(verdict).toMatchObject({ undecided: { code: "invalid_header" } });
    expect(verdict).not.toHaveProperty("candidate");
  });
});

describe("the metrics of rules", () => {
  test("tell hits of live rules from those in shadow, and count what either could not judge", async () => {
    const worker = await runWorker({ default: `ruleset: default\n${RULES}` });
    await decide(aBot({ vpn: true }));
    await expectSamples(worker, [
      'assay_rule_hits_total{ruleset="default",rule="bad_bot",mode="live"} 1',
      'assay_rule_hits_total{ruleset="default",rule="tried_vpn",mode="shadow"} 1',
      'assay_rule_unknown_total{ruleset="default",rule="tried_lie"} 1',
    ]);
  });

  test("compare Fingerprint's own answer with ours, where the event carries one", async () => {
    const worker = await runWorker({ default: `ruleset: default\n${RULES}` });
    const answer = (type: string) => ({ rule_action: { ruleset_id: "rs_1", type } });
    await decide(aBot(answer("block")));
    await decide(anEvent(answer("block")));
    await decide(anEvent(answer("allow")));
    await decide(anEvent(answer("ignore")));
    await decide();
    await expectSamples(worker, [
      'assay_vendor_rule_actions_total{vendor="allow",action="allow"} 1',
      'assay_vendor_rule_actions_total{vendor="block",action="allow"} 1',
      'assay_vendor_rule_actions_total{vendor="block",action="block"} 1',
      'assay_vendor_rule_actions_total{vendor="other",action="allow"} 1',
    ]);
  });
});
