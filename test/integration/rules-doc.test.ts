import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readRulesetFiles } from "@assay/host/ruleset-files";
import { isRecord, readOutcome, readSubmission } from "@assay/protocol";
import { loadRuleset, loadRulesetFolder, partSchema, type Ruleset, RulesetError, rulesetSchema } from "@assay/rules";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assay } from "../support/assay-command.ts";
import { anEvent } from "../support/events.ts";
import { messageOf } from "../support/ruleset-faults.ts";
import { blockOf, blocksOf, readDocument, ROOT, type Row, tableOf } from "../support/snippets.ts";

const document = readDocument("docs/rules.md");
const blocks = blocksOf(document);
const shipped = await readRulesetFiles(join(ROOT, "rulesets"));

/** The files that the page shows: what their reader puts beside the rulesets that are shipped. */
const shown = new Map(blocksNamed("file-").map(({ name, text }) => [name, text]));
const files = new Map([...shipped, ...shown]);

/** What the tables' conditions may use beside signals. */
const DECLARED = [
  "ruleset: trial",
  "facts: { tags: list, account_age_days: number }",
  "lists: { office: { type: cidr, file: lists/office.txt } }",
];

describe("docs/rules.md", () => {
  test("has no block that is not run here", () => {
    const known =
      /^(?:rules|file)-|^(?:submission|outcome|row|cli-diff|cli-diff-gate|cli-check|cli-failed-says|cli-explain|faulty-[a-z]+?)(?:-says)?$/;
    expect(blocks.filter(({ run = "" }) => !known.test(run))).toEqual([]);
  });

  test.each(blocksNamed("rules-"))("shows a ruleset that loads without a warning: $name", ({ text }) => {
    const ruleset = loadRuleset(text, { file: "rulesets/trial.yaml", files, now: Date.now() });
    expect(ruleset.warnings).toEqual([]);
    expect(ruleset.runTests().filter(({ passed }) => !passed)).toEqual([]);
  });

  test("shows routes that load beside the shipped rulesets", () => {
    const folder = loadRulesetFolder(files, { folder: "rulesets", now: Date.now() });
    expect([folder.forFlow("login").name, folder.forFlow("signup").name]).toEqual(["account_takeover", "default"]);
  });

  test.each(rowsOf(...tablesOf("condition")))(
    "says how a condition comes out: %s, of %s: %s",
    (condition, given, result) => {
      const { facts, ...signals }: Record<string, unknown> = JSON.parse(given);
      const decision = ruleOf(condition).decide({
        event: { event_id: "1708102555327.NLOjmg", timestamp: 1_758_102_555_327, ...signals },
        checks: {},
        context: isTexts(facts) ? { facts } : {},
        receivedAt: 1_758_102_556_000,
        kind: "sealed",
      });
      expect(decision.unknown.length > 0 ? "unknown" : String(decision.reasons.length > 0)).toBe(result);
    },
  );

  test.each(rowsOf(...tableOf(document, "faulty condition")))("says what is wrong with %s", (condition, message) => {
    expect(faultsOf(condition)[0]).toBe(message);
  });

  test.each(blocksNamed("faulty-").filter(({ name }) => !name.endsWith("-says")))(
    "shows a faulty ruleset and exactly what is said about it: $name",
    ({ name, text }) => {
      const load = () => loadRuleset(text, { file: "rulesets/trial.yaml" });
      expect(`${messageOf(load)}\n`).toBe(blockOf(document, `faulty-${name}-says`));
    },
  );

  test.each(rowsOf(...tableOf(document, "Fingerprint")))("moves %s here", (theirs, ours) => {
    expect(faultsOf(ours)).toEqual([]);
    expect(faultsOf(theirs).length === 0).toBe(theirs === ours);
  });

  test.each([
    ["a ruleset", rulesetSchema(), "ruleset"],
    ["a rule", itemsOf(rulesetSchema(), "rules"), "rule"],
    ["a test", itemsOf(partSchema(), "tests"), "test"],
    ["a counter", itemsOf(partSchema(), "counters"), "counter"],
  ])("lists every key of %s", (_, schema, what) => {
    const told = rowsOf(...tableOf(document, `key of a ${what}`)).flatMap(([keys]) =>
      keys.replaceAll("`", "").split(" "),
    );
    expect(told.toSorted()).toEqual(Object.keys(propertiesOf(schema)).toSorted());
  });

  test("names every ruleset that is shipped", () => {
    const told = tableOf(document, "ruleset").map((row) => /\w+/.exec(row["ruleset"] ?? "")?.[0] ?? "");
    const names = loadRulesetFolder(shipped, { folder: "rulesets", now: 0 }).all.map(({ name }) => name);
    expect(told.toSorted()).toEqual(names.toSorted());
  });

  test("shows a submission and an outcome that are accepted", () => {
    expect(() => readSubmission(JSON.parse(blockOf(document, "submission")))).not.toThrow();
    expect(() => readOutcome(JSON.parse(blockOf(document, "outcome")))).not.toThrow();
  });

  test("links to nothing that is not there", () => {
    const targets = [...document.matchAll(/\]\(([^)#\s]*)(?:#([^)]*))?\)/g)];
    const broken = targets.filter(([, path = "", heading]) => !path.includes("://") && !isThere(path, heading));
    expect(broken.map(([link]) => link)).toEqual([]);
  });
});

/** A ruleset of logins as it was. */
const LOGIN = [
  "ruleset: login",
  "thresholds: { challenge: 30 }",
  "rules:",
  '  - { id: bad_bot, when: bot == "bad", action: block }',
  '  - { id: hidden_network, when: vpn && vpn_confidence != "low", score: 30 }',
].join("\n");

const LOGINS_FROM = Date.UTC(2026, 0, 5);
/** Twelve minutes of logins: every fourth by a VPN that is not quite sure, every sixth by a bot. */
const LOGINS = Array.from({ length: 12 }, (_, minute) => {
  const timestamp = LOGINS_FROM + 60_000 * minute;
  const said = { vpn: minute % 4 === 1, vpn_confidence: "low", bot: minute % 6 === 5 ? "bad" : "not_detected" };
  const event = anEvent({ event_id: `${timestamp}.login${minute}`, timestamp, ...said });
  const label = minute % 6 === 5 ? "fraud" : minute % 3 === 0 ? "legit" : undefined;
  return JSON.stringify({ event, received_at: timestamp, context: { flow: "login" }, checks: { stale: false }, label });
}).join("\n");

describe("docs/rules.md, the command", () => {
  let cwd: string;

  beforeAll(() => {
    cwd = mkdtempSync(join(tmpdir(), "rules-doc-"));
    cpSync(join(ROOT, "rulesets"), join(cwd, "rulesets"), { recursive: true });
    put("rulesets/trial.yaml", blockOf(document, "rules-trial"));
    put("before/login.yaml", LOGIN);
    put("before/default.yaml", "ruleset: default");
    put("rulesets/login.yaml", LOGIN.replace(' && vpn_confidence != "low"', ""));
    put("logins.ndjson", LOGINS);
    put("row.ndjson", JSON.stringify(JSON.parse(blockOf(document, "row"))));
    put("event.json", JSON.stringify(anEvent({ event_id: "1758102555327.Xy3kQa", vpn: true, vpn_confidence: "high" })));
  });
  afterAll(() => rmSync(cwd, { recursive: true }));

  test.each(["cli-check", "cli-explain", "cli-diff"])("says what %s shows", async (name) => {
    const { said, exitCodes } = await runAll(blockOf(document, name));
    expect(said).toBe(blockOf(document, `${name}-says`));
    expect(exitCodes.every((code) => code === 0)).toBe(true);
  });

  test("shows a row that is taken, with every field that a row may have but two", async () => {
    const { stdout } = await assay("rules diff before before --from row.ndjson --json".split(" "), { cwd });
    expect(JSON.parse(stdout)).toMatchObject({ rows: 1, bad_rows: 0, labelled: { fraud: 1 } });
    put("bad.ndjson", '{"event":{"event_id":"a","timestamp":1758102555327},"nothing":1}');
    const { stdout: refused } = await assay("rules diff before before --from bad.ndjson".split(" "), { cwd });
    const { stderr } = await assay("rules diff before before --from bad.ndjson --max-bad 0".split(" "), { cwd });
    expect(refused).toBe("");
    const known = (/Known are: (.*)\./.exec(stderr)?.[1] ?? "").split(", ");
    const told = rowsOf(...tableOf(document, "field of a row")).map(([field]) => field.replaceAll("`", ""));
    expect(told.toSorted()).toEqual(known.toSorted());
    const row: object = JSON.parse(blockOf(document, "row"));
    expect(known.filter((field) => !Object.hasOwn(row, field))).toEqual(["kind", "ruleset"]);
  });

  test("gives Markdown, and fails by every metric that the page names", async () => {
    const words = blockOf(document, "cli-diff-gate").match(/'[^']*'|\S+/g) ?? [];
    const { exitCode, stdout } = await assay(
      words.slice(2).map((word) => word.replaceAll("'", "")),
      { cwd },
    );
    expect([exitCode, stdout]).toEqual([1, expect.stringContaining("**Fails**")]);
    const { stdout: help } = await assay(["rules", "diff", "--help"], { cwd });
    const metrics = rowsOf(...tableOf(document, "metric")).flatMap(([names]) => names.replaceAll("`", "").split(" "));
    expect(help).toContain(`\n  ${metrics.toSorted().join(" ")}`);
  });

  test("has every command that the page lists, and no other", async () => {
    const told = rowsOf(...tableOf(document, "command")).map(([command]) => command.replace("npx assay ", ""));
    const groups = await Promise.all(
      ["rules", "facts"].map(async (group) => ({ group, ...(await assay([group, "--help"])) })),
    );
    const known = groups.flatMap(({ group, stdout }) =>
      [...stdout.matchAll(/^ {2}(\w+) (?:.*\[options\])/gm)].map(([, name = ""]) => `${group} ${name}`),
    );
    expect(told.toSorted()).toEqual(known.toSorted());
  });

  test("says what the page shows of a test that fails", async () => {
    const older = blockOf(document, "rules-trial").replace("account_age_days: 3", "account_age_days: 9");
    put("rulesets/trial.yaml", older);
    const { said, exitCodes } = await runAll("npx assay rules test rulesets/trial.yaml\n");
    put("rulesets/trial.yaml", blockOf(document, "rules-trial"));
    expect(said).toBe(blockOf(document, "cli-failed-says"));
    expect(exitCodes).toEqual([1]);
  });

  function put(path: string, text: string): void {
    mkdirSync(dirname(join(cwd, path)), { recursive: true });
    writeFileSync(join(cwd, path), text);
  }

  // The lines of a snippet; each begins with `npx assay`.
  async function runAll(snippet: string): Promise<{ said: string; exitCodes: number[] }> {
    let said = "";
    const exitCodes: number[] = [];
    for (const line of snippet.trimEnd().split("\n")) {
      const [npx, command, ...args] = line.split(" ");
      expect([npx, command]).toEqual(["npx", "assay"]);
      const { exitCode, stdout } = await assay(args, { cwd });
      said += stdout;
      exitCodes.push(exitCode);
    }
    return { said, exitCodes };
  }
});

function blocksNamed(prefix: string): { name: string; text: string }[] {
  return blocks.flatMap(({ run, text }) =>
    run?.startsWith(prefix) === true ? [{ name: run.slice(prefix.length), text }] : [],
  );
}

// A page may have several tables of one kind.
function tablesOf(firstColumn: string) {
  const title = `| ${firstColumn} |`;
  return document
    .split(title)
    .slice(1)
    .flatMap((rest) => tableOf(title + rest, firstColumn));
}

/** The cells of rows, in the order of their columns. */
function rowsOf(...rows: readonly Row[]): (readonly [string, string, string])[] {
  return rows.map((row) => {
    const [first = "", second = "", third = ""] = Object.values(row);
    return [first, second, third];
  });
}

function ruleOf(condition: string): Ruleset {
  const lines = [...DECLARED, "rules:", "  - id: it", "    when: >-", `      ${condition}`, "    action: review"];
  return loadRuleset(lines.join("\n"), { file: "rulesets/trial.yaml", files });
}

function faultsOf(condition: string): string[] {
  try {
    ruleOf(condition);
    return [];
  } catch (error) {
    if (error instanceof RulesetError) return error.faults.map(({ message }) => message);
    throw error;
  }
}

function isTexts(value: unknown): value is Record<string, string[]> {
  return isRecord(value);
}

function propertiesOf(schema: unknown): Record<string, unknown> {
  const properties = isRecord(schema) ? schema["properties"] : undefined;
  return isRecord(properties) ? properties : {};
}

// What a list holds, or what a map of chosen names does.
function itemsOf(schema: object, key: string): unknown {
  const group = propertiesOf(schema)[key];
  return isRecord(group) ? (group["items"] ?? group["additionalProperties"]) : undefined;
}

function isThere(path: string, heading: string | undefined): boolean {
  const target = join(ROOT, "docs", path === "" ? "rules.md" : path);
  if (!existsSync(target)) return false;
  if (heading === undefined) return true;
  const headings = [...readFileSync(target, "utf8").matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => title);
  return headings.some(
    (title) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w -]/g, "")
        .replaceAll(" ", "-") === heading,
  );
}
