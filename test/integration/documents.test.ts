import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { loadConfig as loadIngressConfig } from "@assay/ingress";
import type { Env } from "@assay/host";
import {
  CHECK_NAMES,
  createKeys,
  decidedChannel,
  INPUT_FAULT_CODES,
  LANES,
  leaderKey,
  metaKey,
  PROBLEM_CODES,
  ProblemError,
  queuePrefix,
  UNDECIDED_CODES,
} from "@assay/protocol";
import { loadConfig as loadWorkerConfig } from "@assay/worker";
import { describe, expect, test } from "vitest";
import {
  blockOf,
  brokenLinks,
  commandsOf,
  readDocument,
  repositoryFiles,
  ROOT,
  type Row,
  tableOf,
} from "../support/snippets.ts";

const DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];
const readme = readDocument("README.md");
const architecture = readDocument("ARCHITECTURE.md");

describe.each(DOCUMENTS)("%s", (name) => {
  const document = readDocument(name);
  const files = repositoryFiles();

  test("links to nothing that is not there", () => {
    expect(brokenLinks(document)).toEqual([]);
  });

  test("names no file that is not there", () => {
    const named = [...document.matchAll(/`([\w.-][\w./-]*\.(?:ts|yaml|json|lua|md))`/g)].map(([, path = ""]) => path);
    const isThere = (path: string) => files.some((file) => file === path || file.endsWith(`/${path}`));
    expect(named.filter((path) => !isThere(path))).toEqual([]);
  });

  test("names no command that is not there", () => {
    const { scripts, programs } = commandsOf(document);
    expect(scripts.filter((script) => !npmScripts().has(script))).toEqual([]);
    expect(programs.filter((program) => !files.includes(program))).toEqual([]);
  });
});

describe("README.md, environment", () => {
  const rows = tableOf(readme, "variable");
  const apps = [
    { app: "ingress", load: loadIngressConfig, least: { REDIS_URL: "redis://localhost", ASSAY_INGRESS_KEYS: "a:b" } },
    { app: "worker", load: loadWorkerConfig, least: { REDIS_URL: "redis://localhost" } },
  ];

  test.each(apps)("has every variable that the $app reads, and no other", ({ app, load }) => {
    const isRead = namesRead(load);
    const mark = (name: string) => (isRead.has(`${name}_FILE`) ? "yes †" : "yes");
    const isRefused = (name: string) => rows.some((row) => row["variable"] === name && row[app] === "refused");
    const expected = [...isRead]
      .filter((name) => !isFileOf(name, isRead))
      .map((name) => `${name} ${isRefused(name) ? "refused" : mark(name)}`);
    const told = rows.filter((row) => row[app] !== "").map((row) => `${row["variable"]} ${row[app]}`);
    expect(told.toSorted()).toEqual(expected.toSorted());
  });

  test.each(apps)("gives the defaults of the $app", ({ app, load, least }) => {
    const defaults = rows.filter((row) => row[app]?.startsWith("yes") && /^\w+$/.test(row["default"] ?? ""));
    expect(defaults.length).toBeGreaterThan(5);
    const given = Object.fromEntries(defaults.map((row) => [row["variable"], row["default"]]));
    expect(load({ ...least, ...given })).toEqual(load(least));
  });

  test.each(apps)("says what the $app refuses", ({ app, load, least }) => {
    const refused = rows.filter((row) => row[app] === "refused").map((row) => row["variable"] ?? "");
    for (const name of refused) expect(() => load({ ...least, [name]: "x" })).toThrow(`${name}: `);
  });

  test("has every variable that Docker Compose sets", () => {
    const compose = `${readDocument("docker-compose.yml")}${readDocument(".env.example")}`;
    const named = [...compose.matchAll(/\b(?:ASSAY|LOG)_[A-Z_]+/g)].map(([name]) => name);
    const known = new Set([...rows.map((row) => row["variable"]), "ASSAY_PUBLISH"]);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  const hasCompose = spawnSync("docker", ["compose", "version"]).status === 0;
  test.skipIf(!hasCompose)("shows a file that Docker Compose can read", () => {
    expect(blockOf(readme, "compose")).toContain("docker compose up");
    const args = ["compose", "--env-file", ".env.example", "config", "--quiet"];
    const { status, stderr } = spawnSync("docker", args, { cwd: ROOT, encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});

describe("ARCHITECTURE.md", () => {
  test("has every metric with its labels", () => {
    const told = tableOf(architecture, "metric").flatMap((row) => {
      const setBy = (row["set by"] ?? "").replace(", the leader", "").split(", ");
      return setBy.map((app) => `${app === "every process" ? "host" : app} ${row["metric"]}{${row["labels"]}}`);
    });
    const sources = {
      host: "packages/host/src/metrics.ts",
      ingress: "apps/ingress/src/metrics.ts",
      worker: "apps/worker/src/metrics.ts",
    };
    const made = Object.entries(sources).flatMap(([app, file]) =>
      metricsOf(readDocument(file)).map((one) => `${app} ${one}`),
    );
    expect(made.length).toBeGreaterThan(25);
    expect(told.toSorted()).toEqual(made.toSorted());
  });

  test("has every metric that an alert asks for", () => {
    const alerts = readDocument("deploy/alerts.yaml");
    const known = new Set(tableOf(architecture, "metric").map(({ metric }) => `assay_${metric}`));
    expect([...alerts.matchAll(/\bassay_[a-z_]+/g)].map(([name]) => name).filter((name) => !known.has(name))).toEqual(
      [],
    );
    const ofReadme = blockOf(readme, "alerts")
      .split("\n")
      .map((line) => line.trimEnd())
      .filter(Boolean);
    expect(ofReadme.filter((line) => !alerts.includes(line))).toEqual([]);
  });

  test("has every problem code with its status", () => {
    const told = tableOf(architecture.slice(architecture.indexOf("## Problem codes")), "code");
    expect(told.map(({ code, status, retryable }) => [code, status, retryable])).toEqual(
      PROBLEM_CODES.map((code) => {
        const { status, retryable } = new ProblemError(code, "").toProblem();
        return [code, String(status), retryable ? "yes" : "no"];
      }),
    );
  });

  test("has every undecided code, and whether its bytes are kept", () => {
    const told = tableOf(architecture.slice(architecture.indexOf("## Undecided codes")), "code");
    expect(told.map((row) => [row["code"], row["bytes kept"]])).toEqual(
      UNDECIDED_CODES.map((code) => [code, INPUT_FAULT_CODES.has(code) ? "yes" : "no"]),
    );
  });

  test("has every check", () => {
    expect(tableOf(architecture, "check").map(({ check }) => check)).toEqual([...CHECK_NAMES]);
  });

  test("has every key of Redis", () => {
    const keys = createKeys();
    const made = [
      keys.record("<id>"),
      keys.pending("results").replace("results", "<lane>"),
      keys.verdict("<id>"),
      keys.claim("<event_id>", "<flow>"),
      keys.storedEvent("<event_id>"),
      keys.eventVerdicts("<event_id>"),
      keys.lookupBucket("<key>"),
      keys.counter("<hash>"),
      keys.counterSince("<definition>"),
      keys.reference("<hash>"),
      keys.outcome("<id>"),
      keys.verdicts(),
      keys.sightings(),
      keys.archive(),
      keys.archiveBacklog(),
      keys.backfill(),
      keys.backfillLease(),
      keys.deadLetters("input"),
      keys.deadLetters("pipeline"),
      keys.deadLetters("delivery"),
      keys.deadLetterTally("input").replace("input", "<kind>"),
      keys.gapLease("<group>"),
      keys.gaps("<group>"),
      keys.goneEntries("<group>"),
      keys.groupArchive("<group>"),
      keys.endpoints(),
      keys.replays(),
      keys.replayLease("<endpoint>"),
      keys.delivery("<delivery id>"),
      keys.endpoint("<endpoint>"),
      keys.undelivered("<endpoint>"),
      keys.deliveriesDue("<endpoint>"),
      keys.deliveriesInFlight("<endpoint>"),
      decidedChannel(),
      leaderKey(),
      queuePrefix(),
      metaKey(),
    ];
    const told = tableOf(architecture, "key").map(({ key }) => key);
    expect(made.filter((key) => !told.includes(key))).toEqual([]);
  });

  test("has every queue that submissions wait in", () => {
    expect(tableOf(architecture, "queue").map(({ queue }) => queue)).toEqual([...LANES, "suspects"]);
  });

  test("has every file with a script", () => {
    const withScript = repositoryFiles("packages/ledger/src").filter((file) =>
      /= createScript\(/.test(readDocument(file)),
    );
    expect(filesOf(tableOf(architecture, "script")).toSorted()).toEqual(withScript.toSorted());
  });
});

function npmScripts(): Set<string> {
  const manifests = repositoryFiles().filter((file) => file.endsWith("package.json"));
  const all = manifests.map((file) => {
    const manifest: { scripts?: Record<string, string> } = JSON.parse(readDocument(file));
    return Object.keys(manifest.scripts ?? {});
  });
  return new Set(all.flat());
}

/** Names of all variables that reading an environment asks for. */
function namesRead(load: (env: Env) => unknown): Set<string> {
  const names = new Set<string>();
  const env = new Proxy<Env>({}, { get: (_, name) => void names.add(String(name)) });
  expect(() => load(env)).toThrow("REDIS_URL");
  return names;
}

function isFileOf(name: string, names: ReadonlySet<string>): boolean {
  return name.endsWith("_FILE") && names.has(name.slice(0, -"_FILE".length));
}

/** `name{labels}` of every metric that a source makes. */
function metricsOf(source: string): string[] {
  const made = /\.(?:counter|gauge|histogram)\(\s*"(\w+)",\s*"[^"]*"(?:,\s*\[([^\]]*)\])?/g;
  return [...source.matchAll(made)].map(([, name = "", labels = ""]) => {
    return `${name}{${[...labels.matchAll(/"(\w+)"/g)].map(([, label]) => label).join(", ")}}`;
  });
}

function filesOf(rows: readonly Row[]): string[] {
  return rows.map((row) => join(row["file"] ?? ""));
}
