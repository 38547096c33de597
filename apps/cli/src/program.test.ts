import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createPaint } from "./paint.ts";
import { run } from "./program.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "assay-cli-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const NOW = Date.UTC(2026, 10, 23);
const TIME = 1_708_102_555_327;

/** Runs a command line on the folder; its path is written as `DIR` in what comes back. */
async function assay(...args: string[]) {
  const world = { env: { ASSAY_RULESETS: folder }, now: NOW, paint: createPaint(false) };
  const { exitCode, out, err } = await run(args, world);
  return { exitCode, out: out.replaceAll(folder, "DIR"), err: err.replaceAll(folder, "DIR") };
}

async function json(...args: string[]): Promise<unknown> {
  const { out } = await assay(...args, "--json");
  return JSON.parse(out);
}

const DEFAULT = [
  "ruleset: default",
  "facts: { country: string }",
  "thresholds: { block: 80 }",
  "rules:",
  '  - { id: bad_bot, when: bot == "bad", action: block, message: An automation tool }',
  '  - { id: hidden, when: vpn && vpn_confidence != "low" || proxy, score: 80, owner: ann@example.com, tags: [net] }',
  "  - { id: abroad, when: 'facts.country == \"FR\"', score: 10, mode: shadow }",
  "  - { id: old, when: suspect_score > 20, score: 10, mode: off }",
].join("\n");
const TESTS =
  "tests:\n  - { name: a bot is blocked, given: { bot: bad }, expect: { action: block, rules: [bad_bot] } }";
const FAILING = "  - { name: a bot passes, given: { bot: bad }, expect: { action: allow } }";
const FAULTY = 'ruleset: other\nrules:\n  - { id: a, when: bott == "bad", action: block }\n';
const EVENT = JSON.stringify({ event_id: `${TIME}.NLOjmg`, timestamp: TIME, bot: "bad", vpn: false });

describe("assay rules check", () => {
  test("says that all is well", async () => {
    put("default.yaml", DEFAULT);
    expect(await assay("rules", "check")).toEqual({ exitCode: 0, out: "1 ruleset checked: no faults.\n", err: "" });
  });

  test("shows a fault as compilers do, with its place, line and caret", async () => {
    put("default.yaml", DEFAULT);
    put("other.yaml", FAULTY);
    const { exitCode, out } = await assay("rules", "check");
    expect(exitCode).toBe(1);
    expect(out).toBe(
      [
        "DIR/other.yaml:3:18: error: bott is not a known name. Did you mean bot?",
        '  3 |   - { id: a, when: bott == "bad", action: block }',
        "    |                    ^",
        "",
        "1 error.",
        "",
      ]
        .join("\n")
        .replace("3:18", "3:20"),
    );
  });

  test("gives faults to programs", async () => {
    put("default.yaml", DEFAULT);
    put("other.yaml", FAULTY);
    expect(await json("rules", "check")).toEqual({
      rulesets: [],
      faults: [
        {
          severity: "error",
          file: "DIR/other.yaml",
          line: 3,
          column: 20,
          message: "bott is not a known name. Did you mean bot?",
        },
      ],
    });
  });

  test("checks one file with what it includes, whatever stands beside it", async () => {
    put("_shared.yaml", 'rules:\n  - { id: shared, when: bot == "bad", action: block }\n');
    put("other.yaml", FAULTY);
    const file = put("default.yaml", `${DEFAULT}\ninclude: [_shared.yaml]`);
    expect(await assay("rules", "check", file)).toMatchObject({ exitCode: 0 });
    expect(await assay("rules", "check", join(folder, "other.yaml"))).toMatchObject({ exitCode: 1 });
  });

  test("checks a list with the folder it stands in", async () => {
    put("default.yaml", `${DEFAULT}\nlists: { offices: { type: cidr, file: lists/offices.txt } }`);
    const file = put("lists/offices.txt", "10.0.0.0/8\nnowhere\n");
    const { exitCode, out } = await assay("rules", "check", file);
    expect([exitCode, out]).toEqual([1, expect.stringContaining("DIR/lists/offices.txt:2:1: error:")]);
  });

  test("lets a warning pass, and fail under --strict", async () => {
    put(
      "default.yaml",
      'ruleset: default\nrules:\n  - { id: a, when: bot == "bad", score: 1, review_by: 2026-01-01 }\n',
    );
    const { exitCode, out } = await assay("rules", "check");
    expect([exitCode, out]).toEqual([0, expect.stringMatching(/default\.yaml:3:\d+: warning: [^]*1 warning\.\n$/)]);
    expect((await assay("rules", "check", "--strict")).exitCode).toBe(1);
  });

  test("colours its output when it is told to", async () => {
    put("default.yaml", FAULTY);
    const world = { env: { ASSAY_RULESETS: folder }, now: NOW, paint: createPaint(true) };
    const { out } = await run(["rules", "check"], world);
    expect(out).toContain("\u001b[31merror:\u001b[39m");
    expect(stripVTControlCharacters(out).replaceAll(folder, "DIR")).toBe((await assay("rules", "check")).out);
  });
});

describe("assay rules test", () => {
  test("says which tests passed", async () => {
    put("default.yaml", `${DEFAULT}\n${TESTS}`);
    expect(await assay("rules", "test")).toEqual({
      exitCode: 0,
      out: "default DIR/default.yaml\n  passed  a bot is blocked\n\n1 test passed.\n",
      err: "",
    });
  });

  test("says what was expected and what came", async () => {
    put("default.yaml", `${DEFAULT}\n${TESTS}\n${FAILING}`);
    const { exitCode, out } = await assay("rules", "test");
    expect(exitCode).toBe(1);
    expect(out).toContain("failed  a bot passes DIR/default.yaml:11\n          action: expected allow, came block");
    expect(out).toMatch(/\n1 of 2 tests failed\.\n$/);
    expect(await json("rules", "test")).toMatchObject({
      rulesets: [{ name: "default", tests: [{ passed: true }, { passed: false, line: 11 }] }],
    });
  });

  test("fails for rulesets that do not load", async () => {
    put("default.yaml", DEFAULT);
    const file = put("other.yaml", FAULTY);
    const { exitCode, out } = await assay("rules", "test", file);
    expect([exitCode, out]).toEqual([1, expect.stringContaining("1 error: not all rulesets could be tested.")]);
  });
});

describe("assay rules explain <event.json>", () => {
  test("shows how every rule comes out, clause by clause", async () => {
    put("default.yaml", DEFAULT);
    const { exitCode, out } = await assay("rules", "explain", put("event.json", EVENT));
    expect(exitCode).toBe(0);
    expect(out).toContain(`${TIME}.NLOjmg: block, score 0`);
    expect(out).toContain('hit      bad_bot  block  An automation tool\n  true     bot == "bad"  bot: "bad"');
    expect(out).toMatch(/unknown {2}hidden {2}\+80 {2}missing: proxy\n/);
    expect(out).toMatch(/ {2}unknown {2} {2}proxy {2}proxy: absent\n/);
    expect(out).toMatch(/off {6}old {2}\+10\n/);
  });

  test("gives the decision and every rule to programs", async () => {
    put("default.yaml", DEFAULT);
    expect(await json("rules", "explain", put("event.json", EVENT))).toMatchObject({
      ruleset: { name: "default" },
      decision: { action: "block", reasons: [{ rule: "bad_bot", evidence: { bot: "bad" } }], invalid_facts: [] },
      rules: [
        { rule: "bad_bot", result: "hit" },
        { rule: "hidden", result: "unknown", missing: ["proxy"] },
        { rule: "abroad", result: "unknown", mode: "shadow" },
        { rule: "old", result: "off" },
      ],
    });
  });

  test("takes the context, counters, checks and time of a submission", async () => {
    put(
      "default.yaml",
      [
        "ruleset: default",
        "facts: { country: string }",
        "counters: { uses: { key: event_id, window: 1h } }",
        "rules:",
        "  - { id: fact, when: 'facts.country == \"FR\"', score: 1 }",
        "  - { id: flow, when: 'context.flow == \"login\"', score: 1 }",
        "  - { id: counter, when: counters.uses > 2, score: 1 }",
        "  - { id: check, when: checks.ip_mismatch, score: 1 }",
        "  - { id: age, when: age(timestamp) > 60, score: 1 }",
      ].join("\n"),
    );
    const context = put("context.json", '{ "facts": { "country": "FR" } }');
    const said = ["--context", context, "--flow", "login", "--counter", "uses=3", "--check", "ip_mismatch=true"];
    const time = ["--received-at", new Date(TIME + 61_000).toISOString()];
    const rules = async (...options: string[]) => {
      const explained: { rules: { result: string }[] } = JSON.parse(
        (await assay("rules", "explain", put("event.json", EVENT), ...options, "--json")).out,
      );
      return explained.rules.map(({ result }) => result);
    };
    expect(await rules(...said, ...time)).toEqual(["hit", "hit", "hit", "hit", "hit"]);
    expect(await rules()).toEqual(["unknown", "unknown", "unknown", "unknown", "missed"]);
  });

  test("judges by the ruleset of the flow, or the one that is named", async () => {
    put("default.yaml", DEFAULT);
    put("login.yaml", DEFAULT.replace("default", "account_takeover"));
    put("_routes.yaml", "login: account_takeover\n");
    const event = put("event.json", EVENT);
    expect((await assay("rules", "explain", event)).out).toMatch(/^default /);
    expect((await assay("rules", "explain", event, "--flow", "login")).out).toMatch(/^account_takeover /);
    expect((await assay("rules", "explain", event, "--ruleset", "account_takeover")).out).toMatch(/^account_takeover /);
  });

  test("reads the webhooks and events of version 3", async () => {
    put("default.yaml", DEFAULT);
    const webhook = { requestId: `${TIME}.NLOjmg`, timestamp: TIME, visitorId: "v", bot: { result: "bad" } };
    const { out } = await assay("rules", "explain", put("event.json", JSON.stringify(webhook)));
    expect(out).toContain("hit      bad_bot");
  });

  test.each([
    ["a counter that is not there", ["--counter", "use=3"], /has no counter use/],
    ["a counter without a number", ["--counter", "uses=many"], /--counter uses=3/],
    ["a misspelt check", ["--check", "ip_mismach=true"], /Did you mean ip_mismatch\?/],
    ["a check that is neither true nor false", ["--check", "stale=yes"], /--check stale=true/],
    ["a ruleset that is not there", ["--ruleset", "nobody"], /There are: default\./],
    ["a time that is none", ["--received-at", "yesterday"], /neither unix milliseconds nor an ISO time/],
    ["a flow that is none", ["--flow", "Log In"], /context\.flow must be/],
  ])("refuses %s", async (_, options, message) => {
    put("default.yaml", DEFAULT);
    const { exitCode, out, err } = await assay("rules", "explain", put("event.json", EVENT), ...options);
    expect([exitCode, out, err]).toEqual([2, "", expect.stringMatching(message)]);
  });

  test.each([
    ["no event", '{ "bot": "bad" }', 2, /is not an event of Fingerprint's/],
    ["no JSON", "bot: bad", 2, /is not JSON/],
  ])("refuses a file that is %s", async (_, text, exitCode, message) => {
    put("default.yaml", DEFAULT);
    const result = await assay("rules", "explain", put("event.json", text));
    expect([result.exitCode, result.err]).toEqual([exitCode, expect.stringMatching(message)]);
  });

  test("shows the faults of rulesets that do not load", async () => {
    put("default.yaml", FAULTY);
    const { exitCode, out } = await assay("rules", "explain", put("event.json", EVENT));
    expect([exitCode, out]).toEqual([1, expect.stringContaining("DIR/default.yaml:3:20: error: bott")]);
  });
});

describe("assay rules list", () => {
  test("names rulesets and what their rules do", async () => {
    put("default.yaml", DEFAULT);
    const { out } = await assay("rules", "list");
    expect(out).toMatch(/^default \w{16} DIR\/default\.yaml\n {2}mode enforce, 4 rules\n {2}facts country: string\n/);
    expect(out).toContain("  bad_bot  block  live    An automation tool\n");
    expect(out).toContain("  hidden   +80    live    ann@example.com  #net\n");
    expect(out).toContain("  abroad   +10    shadow\n");
  });

  test("gives them to programs, with the ruleset of each flow", async () => {
    put("default.yaml", DEFAULT);
    put("_routes.yaml", "login: default\n");
    expect(await json("rules", "list")).toMatchObject({
      rulesets: [
        { name: "default", mode: "enforce", rules: [{ id: "bad_bot", action: "block", mode: "live" }, {}, {}, {}] },
      ],
      flows: { login: "default" },
    });
  });
});

describe("assay", () => {
  test.each([
    [["--help"], 0],
    [["rules", "check", "--help"], 0],
    [["--version"], 0],
    [[], 2],
    [["rules"], 2],
    [["rules", "cheque"], 2],
    [["rules", "check", "--stric"], 2],
    [["rules", "explain"], 2],
    [["rules", "check", "nowhere.yaml"], 3],
    [["rules", "list", "--rulesets", "nowhere"], 3],
    [["rules", "explain", "nowhere.json"], 3],
  ])("exits %j with %i", async (args, exitCode) => {
    put("default.yaml", DEFAULT);
    expect((await assay(...args)).exitCode).toBe(exitCode);
  });

  test("says what each exit code means", async () => {
    expect((await assay("rules", "test", "--help")).out).toMatch(/Exit codes:\n {2}0 {2}fine\n[^]*\n {2}3 /);
  });

  test("tells programs what went wrong", async () => {
    const { exitCode, out, err } = await assay("rules", "explain", "nowhere.json", "--json");
    expect([exitCode, JSON.parse(out), err]).toEqual([3, { error: expect.stringContaining("nowhere.json") }, ""]);
  });

  test("asks for the address and the key before it looks for a verdict", async () => {
    const { exitCode, err } = await assay("rules", "explain", "s_aaaaaaaaaaaaaaaaaaaaaaaaaa");
    expect([exitCode, err]).toEqual([2, expect.stringMatching(/ASSAY_URL.*ASSAY_KEY/)]);
  });
});
