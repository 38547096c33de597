import { randomBytes } from "node:crypto";
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { dirname, join } from "node:path";
import { createAssayClient } from "@assay/client";
import { parseSealedKeys, seal } from "@assay/fingerprint";
import { checkServer, connectForCommands, disconnect, whenReady } from "@assay/ledger";
import { type Event, isRecord } from "@assay/protocol";
import { Verdict } from "@assay/protocol/schemas";
import { loadRuleset } from "@assay/rules";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startApp } from "../support/app-process.ts";
import { aBot, anEvent, aToken } from "../support/events.ts";
import { eventually } from "../support/eventually.ts";
import { type FingerprintApi, startFingerprintApi } from "../support/fingerprint-api.ts";
import { freePort, type PrivateRedis } from "../support/private-redis.ts";
import { startRedis } from "../support/redis-server.ts";
import {
  blockOf,
  blocksOf,
  fillIn,
  openSnippetFolder,
  type Place,
  readDocument,
  ROOT,
  type Shell,
  startShell,
  tableOf,
} from "../support/snippets.ts";

const readme = readDocument("README.md");
const folder = openSnippetFolder();
const keyText = randomBytes(32).toString("base64");

let redis: PrivateRedis;
let api: FingerprintApi;
let place: Place;
let ingressAdminPort: number;
let installation: Shell;

// The installation is the one that README tells an operator to start, with the ruleset that it shows an analyst.
beforeAll(async () => {
  folder.write("default.yaml", readDocument("rulesets/default.yaml"));
  const rulesets = dirname(folder.write("checkout.yaml", blockOf(readme, "ruleset")));
  redis = await startRedis({ config: settingsOf(blockOf(readme, "redis")) });
  api = await startFingerprintApi();
  const [port, adminPort, workerAdminPort, routePort] = await Promise.all(Array.from({ length: 4 }, freePort));
  if (port === undefined || adminPort === undefined || workerAdminPort === undefined || routePort === undefined) return;
  ingressAdminPort = adminPort;
  place = {
    url: `http://127.0.0.1:${port}`,
    redisUrl: redis.url,
    key: aToken(24),
    sealedKey: keyText,
    workerAdminPort,
    routePort,
  };
  installation = startShell(fillIn(blockOf(readme, "start"), place), {
    PORT: String(port),
    ASSAY_ADMIN_PORT: String(adminPort),
    ASSAY_RULESETS: rulesets,
    ASSAY_FINGERPRINT_API_KEYS: aToken(20),
    ASSAY_FINGERPRINT_API_URL: api.url,
  });
  const failed = installation.ended.then(({ stdout, stderr }) => {
    throw new Error(`The installation ended:\n${stdout}\n${stderr}`);
  });
  const ready = Promise.all([adminPort, workerAdminPort].map(untilReady));
  await Promise.race([ready, failed]);
  failed.catch(() => undefined);
}, 180_000);

afterAll(async () => {
  await installation?.stop();
  await api?.stop();
  await redis?.stop();
  folder.remove();
});

describe("README.md", () => {
  test("has no block that is not run here", () => {
    const node = ["commands", "decide", "later", "tail", "report", "testing", "test-events"];
    const anyLanguage = ["curl", "verdict", "stream"];
    const analyst = ["ruleset", "misspelt", "misspelt-error", "diff", "asking"];
    const operator = ["redis", "start", "compose", "doctor", "doctor-output", "keys", "tenants", "alerts"];
    expect(blocksOf(readme).map((block) => block.run)).toEqual([...node, ...anyLanguage, ...analyst, ...operator]);
  });

  test("names commands that can be run", () => {
    const commands = blockOf(readme, "commands")
      .trim()
      .split("\n")
      .map((line) => line.split(" ")[0] ?? "");
    for (const command of commands) expect(() => accessSync(join(ROOT, command), constants.X_OK)).not.toThrow();
  });

  test("shows snippets that type-check", () => {
    const runs = ["decide", "later", "tail", "report", "testing", "test-events"];
    for (const run of runs) folder.write(`${run}.ts`, blockOf(readme, run));
    const config = folder.write(
      "tsconfig.json",
      '{ "extends": "../tsconfig.json", "include": ["*.ts"], "exclude": [] }',
    );
    const { status, stdout } = spawnSync("node_modules/.bin/tsc", ["-p", config], { cwd: ROOT, encoding: "utf8" });
    expect(stdout).toBe("");
    expect(status).toBe(0);
  });

  test("shows a route that lets visitors in, and refuses bots and nonsense", async () => {
    const route = startApp(folder.write("decide.ts", fillIn(blockOf(readme, "decide"), place)), {});
    try {
      // A new visitor each time: the first ones may meet a machine that is too busy for 300 ms.
      await eventually(async () => {
        expect(await logIn(sealed(anEvent()))).toBe(200);
        expect(route.output).toContain("decided allow");
      });
      await eventually(async () => expect(await logIn(sealed(aBot()))).toBe(403));
      expect(route.output).toContain("decided block");
      expect(await logIn({ event: anEvent(), sealedResult: "nonsense!" })).toBe(400);
    } finally {
      await route.stop();
    }
  });

  test("shows a job that receives its verdict later, and ends when it is asked to", async () => {
    api.add(anEvent({ event_id: "1708102555327.NLOjmg" }));
    const job = startApp(folder.write("later.ts", fillIn(blockOf(readme, "later"), place)), {});
    try {
      await eventually(() => job.output.includes("order-1001 allow"), { timeoutMs: 30_000 });
      expect(job.output).toContainEqual(expect.stringMatching(/^s_[a-z2-7]{26} accepted$/));
    } finally {
      await job.stop();
    }
    await expect(job.exited).resolves.toEqual([0, null]);
  });

  test("shows two ways to follow verdicts over HTTP, which end when they are asked to", async () => {
    const tail = startApp(folder.write("tail.ts", fillIn(blockOf(readme, "tail"), place)), {});
    const curl = startShell(fillIn(blockOf(readme, "stream"), place));
    const assay = createAssayClient({ url: place.url, key: place.key });
    // Until it has connected, nothing is shown.
    const id = await eventually(
      async () => {
        const bot = await assay.decide({ sealed_result: sealed(aBot()).sealedResult }, { timeoutMs: 20_000 });
        await eventually(() => expect(tail.output.at(-1)).toMatch(/^[\w-]+ block .*bad_bot/), { timeoutMs: 500 });
        return bot.id ?? false;
      },
      { timeoutMs: 30_000 },
    );
    await assay.close();
    await tail.stop();
    await expect(tail.exited).resolves.toEqual([0, null]);
    await curl.stop();
    const { stdout } = await curl.ended;
    expect(stdout).toContain("event: verdict.decided\ndata: {");
    expect(stdout).toContain(id);
  });

  test("shows how to tell what became of an order", async () => {
    const assay = createAssayClient({ url: place.url, key: place.key });
    const order = { sealed_result: sealed(anEvent()).sealedResult, context: { reference: "order-1001" } };
    const { id } = await assay.decide(order, { timeoutMs: 20_000 });
    await assay.close();
    const told = startApp(folder.write("report.ts", fillIn(blockOf(readme, "report"), place)), {});
    await told.exited;
    expect(told.output).toContain(`${id} accepted`);
  });

  test("shows test events that are decided as it says", async () => {
    const script = fillIn(blockOf(readme, "test-events"), place);
    const tests = startApp(folder.write("test-events.ts", script), {});
    await tests.exited;
    expect(tests.output).toEqual([
      "test_block decided block",
      "test_undecided_lookup_unavailable decided allow",
      "test_slow timeout challenge",
    ]);
  });

  test("shows a client for tests, and what it answers", async () => {
    const snippet = blockOf(readme, "testing");
    const shown = startApp(folder.write("testing.ts", snippet), {});
    await shown.exited;
    const answers = [...snippet.matchAll(/^console\.log.*\/\/ (\S+)$/gm)].map(([, answer]) => answer);
    expect(answers).toHaveLength(3);
    await eventually(() => expect(shown.output).toEqual(answers));
  });

  test("shows a request by curl and the verdict that answers it", async () => {
    api.add(aBot({ event_id: "1758102555327.Xy3kQa", ip_address: "203.0.113.7", vpn: true }));
    const { code, stdout, stderr } = await startShell(fillIn(blockOf(readme, "curl"), place)).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const shown = Verdict.parse(JSON.parse(blockOf(readme, "verdict")));
    const answer: unknown = JSON.parse(stdout);
    expect(answer).toEqual({
      ...shown,
      visitor_id: expect.any(String),
      received_at: expect.any(Number),
      decided_at: expect.any(Number),
      event_time: expect.any(Number),
      checks: { ...shown.checks, event_age_seconds: expect.any(Number) },
      ruleset: { ...shown.ruleset, digest: expect.stringMatching(/^[0-9a-f]{16}$/) },
    });
    expect(Object.keys(shown).toSorted()).toEqual(Object.keys(isRecord(answer) ? answer : {}).toSorted());
  });

  test.each(tableOf(readme, "event"))("shows a ruleset that decides $event with $facts as it says", (row) => {
    const ruleset = loadRuleset(blockOf(readme, "ruleset"), { file: "rulesets/checkout.yaml" });
    const decision = ruleset.decide({
      event: anEvent(JSON.parse(row["event"] ?? "")),
      checks: {},
      context: { facts: JSON.parse(row["facts"] ?? "") },
      receivedAt: Date.now(),
      kind: "sealed",
    });
    const why = [...decision.reasons.map(({ rule }) => rule), ...decision.unknown.map(({ rule }) => `${rule}?`)];
    const { action, score } = decision;
    expect({ action, score: String(score), why: why.join(", ") }).toEqual({
      action: row["action"],
      score: row["score"],
      why: row["why"],
    });
  });

  test("shows settings of Redis that leave nothing to say", async () => {
    const connection = connectForCommands({ url: redis.url });
    await whenReady(connection);
    const report = await checkServer(connection, { durability: "local", assertions: [] });
    await disconnect(connection);
    expect(report).toEqual({ faults: [], warnings: [] });
  });

  test("shows a doctor who finds nothing wrong here, and names what he looks at", async () => {
    const { code, stdout, stderr } = await startShell(fillIn(blockOf(readme, "doctor"), place)).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const namesIn = (text: string) => [...text.matchAll(/^(?:ok|warn|fail|skip) +(\S+) /gm)].map(([, name]) => name);
    const shown = namesIn(blockOf(readme, "doctor-output"));
    expect(shown.filter((name) => !namesIn(stdout).includes(name))).toEqual([]);
    expect(shown.length).toBeGreaterThan(4);
  });

  test("alerts by metrics that the processes have", async () => {
    const scraped = await Promise.all([ingressAdminPort, place.workerAdminPort].map(scrape));
    const known = new Set(scraped.flatMap((text) => [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)));
    const named = [...readme.matchAll(/\bassay_[a-z_]+/g)].map(([name]) => name);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});

function settingsOf(text: string): Record<string, string> {
  const lines = text.trim().split("\n");
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]));
}

async function untilReady(port: number): Promise<void> {
  await eventually(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok, { timeoutMs: 150_000 });
}

async function scrape(port: number): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
}

interface Login {
  readonly event: Event;
  readonly sealedResult: string;
}

function sealed(event: Event): Login {
  const [key] = parseSealedKeys(keyText);
  if (key === undefined) throw new Error("A fresh key must be usable.");
  return { event, sealedResult: Buffer.from(seal(event, key)).toString("base64") };
}

async function logIn({ event, sealedResult }: Login): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${place.routePort}/login`, {
    method: "POST",
    headers: { "user-agent": event.user_agent ?? "", "x-forwarded-for": event.ip_address ?? "" },
    body: JSON.stringify({ user_id: "u_1", sealed_result: sealedResult }),
  });
  return response.status;
}
