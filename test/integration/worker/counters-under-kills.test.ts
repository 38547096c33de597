import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reportOutcome } from "@assay/ledger";
import { outcomeId } from "@assay/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AppProcess } from "../../support/app-process.ts";
import { eventually } from "../../support/eventually.ts";
import { anEvent } from "../../support/events.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";

let folder: string;
let stack: WorkerStack;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "assay-kills-"));
  stack = await openWorkerStack({ env: { ASSAY_RULESETS: folder } });
});
afterEach(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A ruleset that is another each time: with a candidate or without, and with one more counter. */
function edit(round: number): void {
  const counters = [
    "seen: { key: identification.visitor_id, window: 24h }",
    `failed: { on: outcome, key: identification.visitor_id, where: outcome == "login_failed", window: 24h }`,
    `edited: { key: identification.visitor_id, window: ${round + 1}h }`,
  ];
  if (round % 2 === 0) counters.reverse();
  put("next.yaml", `ruleset: next\ncounters: { ${counters.slice(0, 2).join(", ")} }\n`);
  put(
    "default.yaml",
    [
      "ruleset: default",
      ...(round % 3 === 0 ? ["candidate: next"] : []),
      `counters: { ${counters.join(", ")} }`,
      "rules:",
      "  - { id: seen, when: counters.seen < 999, score: 1 }",
      `  - { id: failed, when: counters.failed < 999, score: ${round % 50} }`,
    ].join("\n"),
  );
}

function put(file: string, text: string): void {
  writeFileSync(join(folder, `.${file}`), text);
  renameSync(join(folder, `.${file}`), join(folder, file));
}

const ROUNDS = 4;
const EACH = 30;

describe("workers that are killed while their rulesets change", () => {
  test("decide and count each submission and outcome once, and contradict nobody", { timeout: 240_000 }, async () => {
    edit(0);
    const { redis, keys } = stack;
    const apps: AppProcess[] = [await stack.startWorker(), await stack.startWorker()];
    const { identification = {} } = anEvent();
    const ids: string[] = [];
    const tell = async (id: string) => {
      const outcome = { about: { by: "submission_id", value: id }, outcome: "login_failed" } as const;
      return await reportOutcome(redis, keys, { id: outcomeId("0", "default", id), outcome }, "key");
    };
    for (let round = 1; round <= ROUNDS; round++) {
      edit(round);
      const submitted = await Promise.all(
        Array.from({ length: EACH }, () => stack.submitSealed(anEvent({ identification }))),
      );
      ids.push(...submitted);
      const told = Promise.all(submitted.flatMap((id) => [tell(id), tell(id)]));
      await apps[round % 2]?.kill("SIGKILL");
      await told;
      apps[round % 2] = await stack.startWorker();
    }
    for (const id of ids) await stack.verdict(id, { timeoutMs: 150_000 });
    await Promise.all(ids.map(tell));
    const published = await stack.published();
    expect(published).toHaveLength(ids.length);
    expect(new Set(published.map(({ id }) => id))).toEqual(new Set(ids));
    const zsets = await redis.keys(`${stack.prefix}:{fs1o1}:0:n:*`);
    const members = await Promise.all(zsets.map((zset) => redis.zrange(zset, 0, "-1")));
    const sizes = members.filter(({ length }) => length === ids.length);
    // Those that no edit touched: of the submissions by their events, and of their outcomes by their ids.
    expect(sizes).toHaveLength(2);
    expect(sizes.filter((one) => one.every((member) => ids.includes(member)))).toHaveLength(1);
    await eventually(async () => (await redis.zcard(keys.pending("results"))) === 0);
    const lines = apps.flatMap(({ output }) => output);
    expect(lines.filter((line) => line.includes("equal inputs differ"))).toEqual([]);
    expect(lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});
