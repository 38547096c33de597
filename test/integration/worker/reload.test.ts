import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createSuspectProcess } from "@assay/worker";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AppProcess } from "../../support/app-process.ts";
import { eventually } from "../../support/eventually.ts";
import { anEvent } from "../../support/events.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";

let folder: string;
let stack: WorkerStack;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "assay-reload-"));
  stack = await openWorkerStack({ env: { ASSAY_RULESETS: folder } });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

function put(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** A ruleset whose every rule hits an ordinary visitor, and is named after it. */
function ruleset(name: string, more = ""): string {
  const rules = Array.from({ length: 8 }, (_, index) => `  - { id: ${name}_${index}, when: "!vpn", score: 1 }`);
  return ["ruleset: default", "rules:", ...rules, more].join("\n");
}

/** The name after which the rules of an ordinary visitor's verdict are called. */
async function decidedBy(): Promise<string> {
  const { reasons } = await stack.verdict(await stack.submitSealed(anEvent()));
  return reasons[0]?.rule.split("_")[0] ?? "none";
}

/** Resolves once `name` decides. */
const seen = (name: string) => eventually(async () => (await decidedBy()) === name, { timeoutMs: 20_000 });

async function admin(worker: AppProcess, path: string): Promise<string> {
  const { admin_port: port } = await worker.line(({ msg }) => msg === "deciding");
  return await (await fetch(`http://127.0.0.1:${String(port)}${path}`)).text();
}

const unusable = ({ msg }: Readonly<Record<string, unknown>>) => String(msg).includes("cannot be used");

describe("a worker whose rulesets change", () => {
  test("mixes no two of them in a verdict, however often they are swapped under load", async () => {
    put("default.yaml", ruleset("even"));
    const worker = await stack.runWorker();
    const swapped = new AbortController();
    const stream = (async () => {
      while (!swapped.signal.aborted) await Promise.all(Array.from({ length: 40 }, decidedBy));
    })();
    for (let swap = 1; swap <= 5; swap++) {
      const name = swap % 2 === 0 ? "even" : "odd";
      put("default.yaml", ruleset(name));
      await seen(name);
    }
    swapped.abort();
    await stream;
    await worker.stop();
    const kinds = new Set(
      (await stack.published()).map(({ ruleset: { digest }, reasons, coverage }) =>
        [digest, coverage.rules, ...reasons.map(({ rule }) => rule).toSorted()].join(" "),
      ),
    );
    expect(kinds.size).toBe(2);
    for (const kind of kinds) expect(kind).toMatch(/^\w{16} 8( even_\d){8}$|^\w{16} 8( odd_\d){8}$/);
  });

  test("goes on by the last good one beside a bad file, and says so in log, metric and readiness", async () => {
    put("default.yaml", ruleset("good"));
    const worker = await stack.startWorker();
    put("default.yaml", ruleset("bad", "  - { id: spelt, when: bott, score: 1 }"));
    const { faults } = await worker.line(unusable);
    expect(faults).toEqual([expect.stringMatching(/default\.yaml:11:\d+: bott is not a known name/)]);
    expect(await decidedBy()).toBe("good");
    expect(await admin(worker, "/metrics")).toMatch(/^assay_ruleset_reload_failures_total\{.*\} 1$/m);
    expect(JSON.parse(await admin(worker, "/readyz"))).toMatchObject({
      ready: true,
      checks: {
        rulesets: expect.stringMatching(/^default \w{16} \(default\.yaml\)$/),
        ruleset_reload: expect.stringContaining("bott is not a known name"),
      },
    });
    put("default.yaml", ruleset("mended"));
    await seen("mended");
    expect(await admin(worker, "/metrics")).toMatch(/^assay_ruleset_reload_failures_total\{.*\} 1$/m);
    expect((await admin(worker, "/metrics")).match(/^assay_ruleset_info\{/gm)).toHaveLength(1);
    expect(JSON.parse(await admin(worker, "/readyz"))).toMatchObject({ checks: { ruleset_reload: "ok" } });
  });

  test("refuses one whose own test fails", async () => {
    put("default.yaml", ruleset("good"));
    const worker = await stack.startWorker();
    const failing = "tests: [{ name: a vpn is blocked, given: { vpn: true }, expect: { action: block } }]";
    put("default.yaml", ruleset("failing", failing));
    const { faults } = await worker.line(unusable);
    expect(faults).toEqual([expect.stringContaining('"a vpn is blocked" failed')]);
    expect(await decidedBy()).toBe("good");
  });

  test("does not start on one whose own test fails", async () => {
    const failing = "tests: [{ name: a vpn is blocked, given: { vpn: true }, expect: { action: block } }]";
    put("default.yaml", ruleset("failing", failing));
    await expect(stack.startWorker()).rejects.toThrow('"a vpn is blocked" failed');
  });

  test("sees the link that Kubernetes swaps, and outlives a folder that is gone", async () => {
    const link = (target: string) => {
      symlinkSync(target, join(folder, "..next"));
      renameSync(join(folder, "..next"), join(folder, "..data"));
    };
    put("..first/default.yaml", ruleset("first"));
    put("..second/default.yaml", ruleset("second"));
    link("..first");
    symlinkSync("..data/default.yaml", join(folder, "default.yaml"));
    const worker = await stack.startWorker();
    expect(await decidedBy()).toBe("first");
    link("..second");
    await seen("second");
    rmSync(folder, { recursive: true });
    await worker.line(unusable);
    expect(await decidedBy()).toBe("second");
  });

  test("sees an entry that was added to a list", async () => {
    put("lists/qa.txt", "nobody\n");
    put(
      "default.yaml",
      [
        "ruleset: default",
        "lists: { qa: { type: string, file: lists/qa.txt } }",
        "rules: [{ id: listed_one, when: linked_id in lists.qa, action: block }]",
      ].join("\n"),
    );
    await stack.runWorker();
    const decide = async () => await stack.verdict(await stack.submitSealed(anEvent({ linked_id: "anna" })));
    expect((await decide()).action).toBe("allow");
    put("lists/qa.txt", "nobody\nanna\n");
    await eventually(async () => (await decide()).action === "block");
  });

  test("lets a suspect's process follow too", async () => {
    put("default.yaml", ruleset("first"));
    for (const [name, value] of Object.entries(stack.env)) vi.stubEnv(name, value);
    const decide = createSuspectProcess();
    const decidedAlone = async () => {
      const id = await stack.submitSealed(anEvent());
      await stack.redis.hset(stack.keys.record(id), "t", 1);
      await decide({ tenant: "0", ids: [id] });
      return (await stack.verdict(id)).reasons[0]?.rule.split("_")[0];
    };
    expect(await decidedAlone()).toBe("first");
    put("default.yaml", ruleset("second"));
    await eventually(async () => (await decidedAlone()) === "second");
  });
});
