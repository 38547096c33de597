import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createLogger, createMetrics } from "@assay/host";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createWorkerMetrics } from "./metrics.ts";
import { followRulesets, type Rulesets } from "./rulesets.ts";

let folder: string;
let lines: { level: string; faults?: string[]; warnings?: string[] }[];
let registry: ReturnType<typeof createMetrics>["registry"];
let rulesets: Rulesets | undefined;
/** What the follower waits for, oldest first. */
let waits: { ms: number; pass: () => void }[];
let announce: (() => void) | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rulesets-"));
  lines = [];
  waits = [];
});
afterEach(async () => {
  await rulesets?.stop();
  rulesets = undefined;
  rmSync(folder, { recursive: true, force: true });
});

function put(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

const ruleset = (rule: string, more = "") =>
  `ruleset: default\nrules: [{ id: ${rule}, when: bot == "bad", action: block }]\n${more}`;

async function follow(): Promise<Rulesets> {
  const metrics = createMetrics("worker");
  ({ registry } = metrics);
  rulesets = await followRulesets({
    folder,
    logger: createLogger({ name: "test", destination: { write: (line) => void lines.push(JSON.parse(line)) } }),
    metrics: createWorkerMetrics(metrics),
    now: () => Date.UTC(2026, 10, 23),
    delay: (ms, signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", resolve);
        waits.push({ ms, pass: () => resolve(undefined) });
        announce?.();
      }),
  });
  return rulesets;
}

/** Lets the follower's next wait pass once it has begun; returns how long it was. */
async function passWait(): Promise<number> {
  while (waits.length === 0) await new Promise<void>((resolve) => (announce = resolve));
  const wait = waits.shift();
  wait?.pass();
  return wait?.ms ?? 0;
}

/** Lets the follower look at the folder once, and again if it saw something new, until it is idle. */
async function lookOnce(): Promise<void> {
  await passWait();
  while (waits.length === 0) await new Promise<void>((resolve) => (announce = resolve));
  if (waits[0]?.ms === 200) await lookOnce();
}

const rules = () => rulesets?.current().default.ruleIds;
const failures = async () => {
  const [value] = (await registry.getSingleMetric("assay_ruleset_reload_failures_total")?.get())?.values ?? [];
  return value?.value;
};

describe("followRulesets", () => {
  test("takes a changed file", async () => {
    put("default.yaml", ruleset("first"));
    await follow();
    put("default.yaml", ruleset("second"));
    await lookOnce();
    expect(rules()).toEqual(["second"]);
  });

  test("leaves a snapshot that was taken as it is", async () => {
    put("default.yaml", ruleset("first"));
    const followed = await follow();
    const snapshot = followed.current();
    put("default.yaml", ruleset("second"));
    await lookOnce();
    expect(snapshot.default.ruleIds).toEqual(["first"]);
  });

  test("waits until a file that is being written stays the same", async () => {
    put("default.yaml", ruleset("first"));
    await follow();
    put("default.yaml", "ruleset: defau");
    expect(await passWait()).toBe(2000);
    while (waits.length === 0) await new Promise<void>((resolve) => (announce = resolve));
    put("default.yaml", ruleset("second"));
    expect(await passWait()).toBe(200);
    await lookOnce();
    expect(rules()).toEqual(["second"]);
    expect(lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  test("sees the symbolic link that Kubernetes swaps", async () => {
    put("..first/default.yaml", ruleset("first"));
    put("..second/default.yaml", ruleset("second"));
    const link = (target: string) => {
      symlinkSync(target, join(folder, "..next"));
      renameSync(join(folder, "..next"), join(folder, "..data"));
    };
    link("..first");
    symlinkSync("..data/default.yaml", join(folder, "default.yaml"));
    await follow();
    link("..second");
    await lookOnce();
    expect(rules()).toEqual(["second"]);
  });

  test.each([
    [
      "a file at fault",
      () => put("default.yaml", "ruleset: default\nrules: [{ id: a, when: bott, score: 1 }]"),
      /bott/,
    ],
    ["a test that fails", () => put("default.yaml", ruleset("first", FAILING_TEST)), /"a bot passes" failed.*action/],
    ["a folder that is gone", () => rmSync(folder, { recursive: true }), /ENOENT.*ASSAY_RULESETS/],
    ["an empty folder", () => rmSync(join(folder, "default.yaml")), /holds no ruleset/],
    ["a file that holds nothing", () => put("default.yaml", ""), /default\.yaml:1:1: The ruleset is empty/],
    ["a file cut in a line", () => put("default.yaml", ruleset("second").slice(0, -20)), /default\.yaml:/],
    ["a file cut in a word", () => put("default.yaml", "ruleset: defau"), /No ruleset is called default/],
    ["bytes that are no text", () => writeFileSync(join(folder, "default.yaml"), BYTES), /not UTF-8/],
    ["bytes that are no text in a list", () => writeFileSync(join(folder, "l.txt"), BYTES), /not UTF-8/],
    ["a folder in place of its file", () => replace("default.yaml", (path) => mkdirSync(path)), /holds no ruleset/],
    ["a link to itself", () => replace("default.yaml", (path) => symlinkSync(path, path)), /ELOOP/],
    ["a link to nothing", () => replace("default.yaml", (path) => symlinkSync("gone", path)), /ENOENT/],
    ["a link to its own folder", loop, /more than 500/],
    ["a file in place of the folder", () => replace("", (path) => writeFileSync(path, "")), /ENOTDIR/],
    ["too many files", () => fill(500), /more than 500 files/],
    ["too many bytes", () => put("big.txt", "x".repeat(65 * 1024 * 1024)), /more than 64 MiB/],
    ["a list that is too long", () => putList("x\n".repeat(100_001)), /l\.txt:100001:1/],
    ["a list that is gone", () => put("default.yaml", ruleset("second", LISTED)), /There is no file/],
    ["a candidate that is gone", () => put("default.yaml", ruleset("second", "candidate: next")), /no ruleset next/],
    ["two rulesets of one name", () => put("other.yaml", ruleset("second")), /default/],
  ])("keeps the last good ones beside %s, and says so once", async (_, spoil, fault) => {
    put("default.yaml", ruleset("first"));
    const followed = await follow();
    spoil();
    await lookOnce();
    await lookOnce();
    expect(rules()).toEqual(["first"]);
    expect(lines.filter(({ level }) => level === "error")).toEqual([
      expect.objectContaining({ faults: [expect.stringMatching(fault)] }),
    ]);
    expect(await failures()).toBe(1);
    expect(followed.report().ruleset_reload).toMatch(fault);
  });

  test("counts each content that cannot be used", async () => {
    put("default.yaml", ruleset("first"));
    await follow();
    put("default.yaml", "a: 1");
    await lookOnce();
    put("default.yaml", "a: 2");
    await lookOnce();
    expect(await failures()).toBe(2);
  });

  test("forgets the failure once the folder is good again, also when it is what it was", async () => {
    put("default.yaml", ruleset("first"));
    const followed = await follow();
    put("default.yaml", "a: 1");
    await lookOnce();
    put("default.yaml", ruleset("first"));
    await lookOnce();
    expect(followed.report().ruleset_reload).toBe("ok");
  });

  test("keeps no line of a file in the log: it may name a visitor", async () => {
    put("default.yaml", ruleset("first"));
    await follow();
    put("default.yaml", 'ruleset: default\nrules: [{ id: a, when: botx == "Vi51t0r", score: 1 }]');
    await lookOnce();
    expect(JSON.stringify(lines)).not.toContain("Vi51t0r");
  });

  test.each([
    ["cidr", "203.0.113.199/33"],
    ["email_domain", "Anna Smith"],
    ["asn", "Anna"],
    ["country", "Anna"],
    ["string", "x Anna"],
  ])("keeps what stands in a list of %s out of the log, and says where it is", async (type, entry) => {
    const listed = `lists: { l: { type: ${type}, file: l.txt } }`;
    put("default.yaml", ruleset("first", listed));
    put("l.txt", "# Nobody yet\n");
    await follow();
    put("l.txt", `\n${entry}\n`);
    await lookOnce();
    expect(JSON.stringify(lines)).toMatch(/l\.txt:2:\d+: This list cannot be used/);
    expect(JSON.stringify(lines) + rulesets?.report().ruleset_reload).not.toMatch(/Anna|Smith|203\.0/);
  });

  test("names no visitor in the error that ends a start, but to people", async () => {
    put("default.yaml", 'ruleset: default\nrules: [{ id: a, when: botx == "Vi51t0r", score: 1 }]');
    const error: unknown = await follow().catch((reason: unknown) => reason);
    createLogger({ name: "test", destination: { write: (line) => void lines.push(JSON.parse(line)) } }).fatal({
      err: error,
    });
    expect(JSON.stringify(lines)).toContain("botx is not a known name");
    expect(JSON.stringify(lines)).not.toContain("Vi51t0r");
    expect(error).toHaveProperty("text", expect.stringContaining("Vi51t0r"));
  });

  test("shows what is in use, and nothing that was", async () => {
    put("default.yaml", ruleset("first"));
    const followed = await follow();
    put("default.yaml", ruleset("second"));
    await lookOnce();
    const digest = rulesets?.current().default.digest;
    expect(followed.report()).toEqual({ rulesets: `default ${digest} (default.yaml)`, ruleset_reload: "ok" });
    const info = await registry.getSingleMetricAsString("assay_ruleset_info");
    expect(info.match(/^assay_ruleset_info\{.*$/gm)).toEqual([
      expect.stringContaining(`name="default",digest="${digest}",origin="default.yaml"`),
    ]);
  });

  test("tells a warning once for each content", async () => {
    const late = "[{ id: late, when: vpn, action: block, review_by: 2026-01-01 }]";
    put("default.yaml", `ruleset: default\nrules: ${late}`);
    await follow();
    const warnings = () => lines.filter(({ level }) => level === "warn");
    expect(warnings()).toEqual([expect.objectContaining({ warnings: [expect.stringContaining("default.yaml:2")] })]);
    put("default.yaml", "a: 1");
    await lookOnce();
    put("default.yaml", `ruleset: default\nrules: ${late}`);
    await lookOnce();
    expect(warnings()).toHaveLength(1);
  });

  test("does not start on a file at fault, and shows the line", async () => {
    put("default.yaml", "ruleset: default\nrules: [{ id: a, when: bott, score: 1 }]");
    await expect(follow()).rejects.toMatchObject({
      code: "rulesets_unusable",
      text: expect.stringMatching(/default\.yaml:2:\d+: .*Did you mean bot[\s\S]*\^/),
    });
  });

  test("does not start when a test fails", async () => {
    put("default.yaml", ruleset("first", FAILING_TEST));
    await expect(follow()).rejects.toThrow(/default\.yaml:3.*"a bot passes" failed.*action/);
  });

  test("reads no more once stopped, and may be stopped twice", async () => {
    put("default.yaml", ruleset("first"));
    const followed = await follow();
    await Promise.all([followed.stop(), followed.stop()]);
    waits.shift();
    put("default.yaml", ruleset("second"));
    expect(waits).toEqual([]);
    expect(rules()).toEqual(["first"]);
  });
});

const LISTED = "lists: { l: { type: string, file: l.txt } }";
const BYTES = new Uint8Array([0x72, 0xff, 0xfe, 0x0a]);

function replace(name: string, by: (path: string) => void): void {
  rmSync(join(folder, name), { recursive: true });
  by(join(folder, name));
}

function fill(count: number): void {
  for (let n = 0; n < count; n++) put(`more/${n}.txt`, "");
}

function loop(): void {
  fill(300);
  symlinkSync(folder, join(folder, "again"));
}

function putList(text: string): void {
  put("l.txt", text);
  put("default.yaml", ruleset("second", LISTED));
}

const FAILING_TEST = 'tests: [{ name: a bot passes, given: { bot: "bad" }, expect: { action: allow } }]';
