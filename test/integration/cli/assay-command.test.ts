import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { assay, assayBundle } from "../../support/assay-command.ts";
import { aBot, anEvent } from "../../support/events.ts";
import { ROOT } from "../../support/snippets.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";
import { type OpenIngress, startIngress } from "../ingress/open-ingress.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "assay-command-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(file: string, text: string): string {
  writeFileSync(join(folder, file), text);
  return join(folder, file);
}

const RULESET = [
  "ruleset: default",
  "rules:",
  '  - { id: bad_bot, when: bot == "bad", action: block }',
  "  - { id: hidden, when: vpn, score: 10 }",
  "  - { id: phone, when: jailbroken, score: 10 }",
  "  - { id: trial, when: suspect_score > 10, score: 10, mode: shadow }",
  "  - { id: old, when: proxy, score: 10, mode: off }",
].join("\n");

describe("the assay command", () => {
  test("finds nothing wrong with the rulesets that are shipped", async () => {
    const { exitCode, stdout } = await assay(["rules", "check", "--strict"]);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("no faults")]);
    expect(await assay(["rules", "test"])).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("takes the folder from its option, then the environment, then where it stands", async () => {
    put("default.yaml", RULESET);
    const name = async (args: readonly string[], options: { cwd: string; env?: Record<string, string> }) =>
      (await assay(["rules", "check", "--json", ...args], options)).stdout;
    const ours = '"file": "rulesets/default.yaml"';
    expect(await name([], { cwd: ROOT })).toContain(ours);
    expect(await name([], { cwd: ROOT, env: { ASSAY_RULESETS: folder } })).toContain(folder);
    expect(await name(["--rulesets", "rulesets"], { cwd: ROOT, env: { ASSAY_RULESETS: folder } })).toContain(ours);
  });

  test("fails with what is wrong, and the same as JSON", async () => {
    const file = put("default.yaml", RULESET.replace("vpn", "vpnn"));
    const { exitCode, stdout } = await assay(["rules", "check", file]);
    expect([exitCode, stdout]).toEqual([
      1,
      expect.stringMatching(/default\.yaml:4:25: error: vpnn .*\n.*\n +\| +\^\n/),
    ]);
    const { stdout: json } = await assay(["rules", "check", file, "--json"]);
    expect(JSON.parse(json)).toMatchObject({ faults: [{ severity: "error", file, line: 4 }] });
  });

  test("colours nothing where nobody looks", async () => {
    put("default.yaml", RULESET.replace("vpn", "vpnn"));
    const { stdout, stderr } = await assay(["rules", "check", folder], { env: { FORCE_COLOR: "1" } });
    expect(stdout + stderr).not.toContain("\u001b");
  });

  test("explains an event", async () => {
    put("default.yaml", RULESET);
    const event = put("event.json", JSON.stringify(aBot()));
    const { exitCode, stdout } = await assay(["rules", "explain", event, "--rulesets", folder]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('hit      bad_bot  block\n  true     bot == "bad"  bot: "bad"\n');
  });

  test("holds no log, and loads the queue, which who redrives must ring, only for that", async () => {
    const bundle = dirname(await assayBundle());
    const textOf = (name: string) => readFileSync(join(bundle, name), "utf8");
    const files = readdirSync(bundle).filter((name) => /^assay.*\.js$/.test(name));
    const holding = (library: string) => files.filter((name) => textOf(name).includes(`node_modules/${library}/`));
    expect(textOf("assay.js")).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect([...holding("pino"), ...holding("prom-client")]).toEqual([]);
    const atOnce = new Set(["assay.js"]);
    for (const name of atOnce) {
      for (const [, loaded = ""] of textOf(name).matchAll(/(?:from|import) "\.\/(assay[^"]*)"/g)) atOnce.add(loaded);
    }
    expect(atOnce.size).toBeGreaterThan(1);
    const queue = holding("bullmq");
    expect(queue).not.toEqual([]);
    expect(queue.filter((name) => atOnce.has(name))).toEqual([]);
  });
});

describe("assay rules explain <submission id>", () => {
  let stack: WorkerStack;
  let door: OpenIngress;
  let env: Record<string, string>;
  beforeEach(async () => {
    put("default.yaml", RULESET);
    stack = await openWorkerStack({ env: { ASSAY_RULESETS: folder } });
    door = await startIngress(inject("redisUrl"), { ASSAY_PREFIX: stack.prefix });
    env = { ASSAY_URL: door.baseUrl, ASSAY_KEY: "shop-secret", ASSAY_RULESETS: folder };
  });
  afterEach(async () => {
    await door.close();
    await stack.stop();
  });

  async function decided(event = aBot()): Promise<string> {
    await stack.runWorker();
    return (await stack.verdict(await stack.submitSealed(event))).id;
  }

  test("shows what the verdict kept, and names the rules that missed", async () => {
    const id = await decided();
    const { exitCode, stdout } = await assay(["rules", "explain", id], { env });
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`${id}: block, score 0`);
    expect(stdout).toContain('hit      bad_bot  block\n           bot: "bad"\n');
    expect(stdout).toContain("shadow   trial  +10\n           suspect_score: 18\n");
    expect(stdout).toContain("unknown  phone  missing: jailbroken\n");
    expect(stdout).toContain("missed   hidden\nA verdict does not keep the values of rules that missed.");
  });

  test("says so where the folder does not hold the ruleset that decided", async () => {
    const id = await decided(anEvent());
    const { exitCode, stdout } = await assay(["rules", "explain", id, "--rulesets", join(ROOT, "rulesets")], { env });
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("the folder here does not hold default")]);
  });

  test("shows what the candidate says", async () => {
    put("stricter.yaml", "ruleset: stricter\nrules: [{ id: any, when: '!vpn', action: review }]");
    put("default.yaml", `${RULESET}\ncandidate: stricter`);
    const id = await decided(anEvent());
    const { stdout } = await assay(["rules", "explain", id], { env });
    expect(stdout).toMatch(/^candidate stricter \w{16}: review, score 0; hit any$/m);
  });

  test("gives the verdict to programs", async () => {
    const id = await decided();
    const { stdout } = await assay(["rules", "explain", id, "--json"], { env });
    expect(JSON.parse(stdout)).toMatchObject({ verdict: { id, action: "block" }, missed: ["hidden"] });
  });

  test.each([
    ["an id that nobody knows", {}, /does not know s_a/],
    ["a key that is not known", { ASSAY_KEY: "wrong" }, /ASSAY_INGRESS_KEYS/],
    ["an ingress that is not there", { ASSAY_URL: "http://127.0.0.1:1" }, /could not be reached/],
  ])("exits 3 for %s", async (_, changes, message) => {
    const { exitCode, stderr } = await assay(["rules", "explain", `s_${"a".repeat(26)}`], {
      env: { ...env, ...changes },
    });
    expect([exitCode, stderr]).toEqual([3, expect.stringMatching(message)]);
  });

  test("exits 3 while it is not decided", async () => {
    const id = await stack.submitSealed(anEvent());
    const { exitCode, stderr } = await assay(["rules", "explain", id], { env });
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining("is not decided yet")]);
  });
});
