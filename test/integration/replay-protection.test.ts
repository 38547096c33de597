import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRulesetFiles } from "@assay/host/ruleset-files";
import { CHECK_NAMES, type Context, type Event, readSubmission, type Verdict } from "@assay/protocol";
import { loadRuleset } from "@assay/rules";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { anEvent, anEventId } from "../support/events.ts";
import { blockOf, blocksOf, readDocument, ROOT, type Row, tableOf } from "../support/snippets.ts";
import { openWorkerStack, type WorkerStack } from "../support/worker-stack.ts";

const document = readDocument("docs/replay-protection.md");
const shipped = join(ROOT, "rulesets");

/** What Anna's own browser has, and what her account's login says of it. */
const ANNA: Context = {
  flow: "login",
  user_id: "anna",
  linked_id: "anna",
  ip: "203.0.113.7",
  origin: "https://shop.example",
  user_agent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/152.0",
};

/** What a cell of the column `differs` does to her context. */
const DIFFERENCES: ReadonlyMap<string, Context> = new Map<string, Context>([
  ["nothing", {}],
  ["address", { ip: "198.51.100.66" }],
  ["second address", { ip: "198.51.100.77" }],
  ["third address", { ip: "192.0.2.88" }],
  ["user agent", { user_agent: "Mozilla/5.0 (Windows NT 10.0) Chrome/146.0.0.0" }],
  ["account", { user_id: "mallory", linked_id: "mallory" }],
  ["flow", { flow: "checkout" }],
  ["third flow", { flow: "transfer" }],
]);
const LATER = "3 minutes later";
const MADE_AGO_MS = 185_000;

interface Story {
  readonly title: string;
  readonly event: Partial<Event>;
  readonly rows: readonly Row[];
}

const stories = document
  .split(/^(?=##+ )/m)
  .filter((section) => section.includes("| who, in this order |"))
  .map((section): Story => {
    const name = blocksOf(section).find(({ run }) => run?.startsWith("event-"))?.run;
    const event: Partial<Event> = name === undefined ? {} : JSON.parse(blockOf(section, name));
    return { title: /^#+ (.*)$/m.exec(section)?.[1] ?? "", event, rows: tableOf(section, "who, in this order") };
  });
const isStrict = ({ title }: Story) => title.endsWith(", strictly");

describe("docs/replay-protection.md", () => {
  test("has no block that is not run here", () => {
    const known = /^(?:event-[a-z-]+|submission|ruleset)$/;
    expect(blocksOf(document).filter(({ run = "" }) => !known.test(run))).toEqual([]);
  });

  test("says of every check what it proves, and what the default ruleset does", async () => {
    const rows = tableOf(document, "check");
    expect(rows.map(({ check }) => check)).toEqual([...CHECK_NAMES, "replayed"]);
    const files = await readRulesetFiles(shipped);
    const ruleset = loadRuleset(files.get("default.yaml") ?? "", { file: "default.yaml", files });
    const taken = rows.map(({ check = "" }) => {
      const event = { event_id: "a", timestamp: 1, ...(check === "replayed" ? { replayed: true } : {}) };
      const checks = check === "replayed" ? {} : { [check]: true };
      return ruleset.decide({ event, checks, context: {}, receivedAt: 1, kind: "sealed" }).action;
    });
    expect(taken).toEqual(rows.map((row) => row["default"]));
  });

  test("shows a submission that is accepted, with nothing left out", () => {
    const { submission, invalidContextFields } = readSubmission(JSON.parse(blockOf(document, "submission")));
    expect([Object.keys(submission.context ?? {}), invalidContextFields]).toEqual([expect.any(Array), []]);
  });

  test("recommends a ruleset that loads without a warning and passes its tests", async () => {
    const files = await readRulesetFiles(shipped);
    const ruleset = loadRuleset(blockOf(document, "ruleset"), { file: "default.yaml", files, now: Date.now() });
    expect(ruleset.warnings).toEqual([]);
    expect(ruleset.runTests().filter(({ passed }) => !passed)).toEqual([]);
  });

  test("links to nothing that is not there", () => {
    const targets = [...document.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target = ""]) => target);
    expect(targets.filter((target) => !existsSync(join(ROOT, "docs", target)))).toEqual([]);
  });

  test("tells stories of both rulesets", () => {
    expect([stories.filter(isStrict).length, stories.length]).toEqual([3, 11]);
  });
});

describe("docs/replay-protection.md, from door to verdict", () => {
  let folder: string;
  let byDefault: WorkerStack;
  let strict: WorkerStack;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "assay-replay-"));
    cpSync(shipped, folder, { recursive: true });
    writeFileSync(join(folder, "default.yaml"), blockOf(document, "ruleset"));
    byDefault = await openWorkerStack();
    strict = await openWorkerStack({ env: { ASSAY_RULESETS: folder } });
    await Promise.all([byDefault.runWorker(), strict.runWorker()]);
  });
  afterAll(async () => {
    await Promise.all([byDefault.stop(), strict.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(stories.map((story) => [story.title, story] as const))("%s", async (_, story) => {
    const stack = isStrict(story) ? strict : byDefault;
    const isOld = story.rows.some((row) => row["differs"]?.includes(LATER));
    const event = annasEvent({ ...(isOld ? { timestamp: Date.now() - MADE_AGO_MS } : {}), ...story.event });
    if (story.rows.some((row) => row["shows"] === "id")) await stack.verdict(await stack.submitWebhook(event));
    const told: (readonly string[])[] = [];
    for (const row of story.rows) {
      const verdict = await stack.verdict(await show(stack, event, row));
      told.push([row["who, in this order"] ?? "", trueChecks(verdict), verdict.action]);
    }
    expect(told).toEqual(
      story.rows.map((row) => [row["who, in this order"], inOrder(row["true checks"] ?? ""), row["action"]]),
    );
  });
});

function annasEvent(changes: Partial<Event>): Event {
  const { ip = "", user_agent = "", linked_id = "" } = ANNA;
  return anEvent({ ip_address: ip, user_agent, linked_id, url: "https://shop.example/login", ...changes });
}

/** Hands in an event as a row of a table says. */
async function show(stack: WorkerStack, event: Event, { shows = "", differs = "" }: Row): Promise<string> {
  const differences = differs.split(", ");
  // Who is not late has shown an old event as soon as it was made.
  const isAtOnce = Date.now() - event.timestamp > 60_000 && !differences.includes(LATER);
  let context: Context = { ...ANNA, ...(isAtOnce ? { observed_at: event.timestamp + 1000 } : {}) };
  for (const difference of differences) {
    if (difference === LATER) continue;
    if (difference === "no address") {
      const { ip: _, ...rest } = context;
      context = rest;
      continue;
    }
    const other = DIFFERENCES.get(difference);
    if (other === undefined) throw new Error(`Nothing is known of ${difference}.`);
    context = { ...context, ...other };
  }
  switch (shows) {
    case "seal":
      return await stack.submitSealed(event, { context });
    case "seal with another id":
      return await stack.submitSealed(event, { context, eventId: anEventId() });
    case "id":
      return await stack.submitLookup(event.event_id, { context });
    default:
      throw new Error(`Nothing is known of ${shows}.`);
  }
}

function trueChecks({ checks }: Verdict): string {
  const names = CHECK_NAMES.filter((name) => checks[name] === true);
  return names.length === 0 ? "none" : names.join(", ");
}

function inOrder(cell: string): string {
  const names = CHECK_NAMES.filter((name) => cell.split(", ").includes(name));
  return names.length === 0 ? cell : names.join(", ");
}
