import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { queuePrefix } from "@assay/protocol";
import { createSuspectProcess } from "@assay/worker";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { anEvent } from "../../support/events.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";

let folder: string;
let stack: WorkerStack;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "assay-edited-"));
  stack = await openWorkerStack();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A folder in which everything that can stand in a verdict stands. */
const FILES = {
  "default.yaml": `
ruleset: default
candidate: next
include: [_shared.yaml]
settings: { allowed_origins: [] }
thresholds: { review: 50 }
expose: [suspect_score, vpn]
rules:
  - { id: seen, when: counters.seen < 999, score: 1, message: Seen }
  - { id: accounts, when: counters.accounts < 999, score: 2 }
  - { id: listed, when: linked_id in lists.qa, score: 4 }
  - { id: tried, when: "!vpn", score: 8, mode: shadow }
  - { id: some, when: "!vpn", score: 16, rollout: 50% }
  - { id: unsure, when: location_spoofing, score: 32 }
`,
  "next.yaml": `
ruleset: next
include: [_shared.yaml]
rules: [{ id: seen_by_next, when: counters.seen < 999, action: review }]
`,
  "_shared.yaml": `
counters:
  seen: { key: identification.visitor_id, window: 24h }
  accounts: { key: identification.visitor_id, distinct: context.user_id, window: 24h }
  failed: { on: outcome, key: identification.visitor_id, where: outcome == "login_failed", window: 24h }
lists: { qa: { type: string, file: lists/qa.txt } }
`,
  "lists/qa.txt": "anna\nbert\n",
};

interface Edit {
  readonly file: keyof typeof FILES;
  readonly from: string | RegExp;
  readonly to: string;
}

/** Writes the files below a name of their own, one of them edited. */
function put(name: string, edit?: Edit): string {
  for (const [file, text] of Object.entries(FILES)) {
    const path = join(folder, name, file);
    mkdirSync(dirname(path), { recursive: true });
    const { from = "", to = "" } = edit?.file === file ? edit : {};
    writeFileSync(path, text.replace(from, to));
  }
  return join(folder, name);
}

describe("two tries of one submission by different rulesets", () => {
  test.each<Edit & { what: string; conflicts: number }>([
    {
      what: "counters in another order",
      file: "_shared.yaml",
      from: /(  seen.*\n)(  acc.*\n)/,
      to: "$2$1",
      conflicts: 0,
    },
    { what: "another window of a counter", file: "_shared.yaml", from: "24h", to: "12h", conflicts: 1 },
    { what: "one more entry in a list", file: "lists/qa.txt", from: "bert", to: "bert\ncarl", conflicts: 1 },
    { what: "a list in another order", file: "lists/qa.txt", from: "anna\nbert", to: "bert\nanna", conflicts: 1 },
    { what: "a note in a list", file: "lists/qa.txt", from: "bert", to: "bert by=ann", conflicts: 0 },
    { what: "no candidate", file: "default.yaml", from: "candidate: next\n", to: "", conflicts: 1 },
    { what: "another candidate", file: "next.yaml", from: "review", to: "block", conflicts: 1 },
    { what: "another message", file: "default.yaml", from: "message: Seen", to: "message: Saw", conflicts: 1 },
    { what: "another share", file: "default.yaml", from: "50%", to: "51%", conflicts: 1 },
    { what: "an owner", file: "default.yaml", from: "score: 4 }", to: "score: 4, owner: ann }", conflicts: 0 },
  ])("make no contradiction: $what", async ({ conflicts, ...edit }) => {
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let loaded = 0;
    const slow = await stack.runWorker({
      env: { ASSAY_RULESETS: put("before") },
      aroundSource: (source) => async (work, signal, options) => {
        loaded++;
        await held;
        return await source(work, signal, options);
      },
    });
    for (const [name, value] of Object.entries({ ...stack.env, ASSAY_RULESETS: put("after", edit) })) {
      vi.stubEnv(name, value);
    }
    const { identification = {} } = anEvent();
    const ids = await Promise.all(
      ["anna", "bert", "carl"].map((user) =>
        stack.submitSealed(anEvent({ identification, linked_id: user }), { context: { user_id: user } }),
      ),
    );
    await eventually(() => loaded === ids.length);
    await createSuspectProcess()({ tenant: "0", ids });
    const before = await Promise.all(ids.map((id) => stack.verdict(id)));
    letGo();
    await eventually(async () => (await stack.redis.llen(`${queuePrefix(stack.prefix)}:results:active`)) === 0);
    const metrics = await (await fetch(`http://127.0.0.1:${slow.adminPort}/metrics`)).text();
    expect(metrics).not.toContain(`{reason="nondeterminism"`);
    const counted = /^assay_verdict_conflicts_total\{reason="inputs".*\} (\d+)$/m.exec(metrics)?.[1] ?? 0;
    expect(Number(counted)).toBe(conflicts * ids.length);
    expect(await Promise.all(ids.map((id) => stack.verdict(id)))).toEqual(before);
    expect(await stack.published()).toHaveLength(ids.length);
    const zsets = await stack.redis.keys(`${stack.prefix}:{fs1o1}:0:n:*`);
    const sizes = await Promise.all(zsets.map((zset) => stack.redis.zcard(zset)));
    expect(sizes.every((size) => size === ids.length)).toBe(true);
  });
});
