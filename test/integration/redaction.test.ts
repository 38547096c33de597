import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSealedKeys, seal, signWebhook } from "@assay/fingerprint";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type AppProcess, startApp } from "../support/app-process.ts";
import { anEvent, aToken } from "../support/events.ts";
import { startFingerprintApi } from "../support/fingerprint-api.ts";
import { freePort } from "../support/private-redis.ts";
import { openWorkerStack, type WorkerStack } from "../support/worker-stack.ts";

// Every one is long and random, so that finding it means that it leaked.
const canary = {
  sealedKey: randomBytes(32).toString("base64"),
  ingressKey: aToken(32),
  apiKey: aToken(32),
  webhookSecret: aToken(32),
  visitorId: aToken(20),
  userId: `user-${aToken(20)}`,
  ip: "203.0.113.199",
  userAgent: `agent-${aToken(20)}`,
  linkedId: `linked-${aToken(20)}`,
  fact: `fact-${aToken(20)}`,
  reference: `order-${aToken(20)}`,
  idempotencyKey: `operation-${aToken(20)}`,
};

/** Counts by everything that is personal, and tells it by a rule. */
const RULESET = `
ruleset: default
facts: { note: string }
counters:
  by_visitor: { key: identification.visitor_id, window: 24h }
  by_person: { key: [context.user_id, ip_address, facts.note], distinct: context.reference, window: 24h }
  failed: { on: outcome, key: context.user_id, distinct: identification.visitor_id, window: 24h }
rules: [{ id: counted, when: counters.by_visitor + counters.by_person + counters.failed < 999, score: 1 }]
`;

let folder: string;
let stack: WorkerStack;
let apps: AppProcess[];
let url: string;
let stopApi: () => Promise<void>;
let jobData: string[];
let queueKeys: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "assay-redaction-"));
  writeFileSync(join(folder, "default.yaml"), RULESET);
  const api = await startFingerprintApi();
  stopApi = () => api.stop();
  stack = await openWorkerStack({
    env: {
      ASSAY_SEALED_KEYS: canary.sealedKey,
      ASSAY_FINGERPRINT_API_KEYS: canary.apiKey,
      ASSAY_FINGERPRINT_API_URL: api.url,
      LOG_LEVEL: "info",
      ASSAY_RULESETS: folder,
    },
  });
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const ingress = startApp("apps/ingress/src/main.ts", {
    REDIS_URL: stack.env["REDIS_URL"] ?? "",
    ASSAY_PREFIX: stack.prefix,
    PORT: String(port),
    ASSAY_ADMIN_PORT: "0",
    ASSAY_INGRESS_KEYS: canary.ingressKey,
    ASSAY_WEBHOOK_SECRETS: canary.webhookSecret,
  });
  await ingress.line(({ msg }) => msg === "serving");
  apps = [ingress];

  const known = canaryEvent();
  api.add(known);
  const [key] = parseSealedKeys(canary.sealedKey);
  const [otherKey] = parseSealedKeys(randomBytes(32).toString("base64"));
  if (key === undefined || otherKey === undefined) throw new Error("keys must be usable");
  const ids = [
    await post({ sealed_result: base64(seal(canaryEvent(), key)) }, "sealed"),
    await post({ sealed_result: base64(seal(canaryEvent(), otherKey)) }, "forged"),
    await post({ event_id: known.event_id }, "lookup"),
    await postWebhook(JSON.stringify(canaryEvent())),
  ];
  await postWebhook(JSON.stringify(canaryEvent()), "v1=00");
  await post({ requestId: "x" }, "bad");
  // Before the workers start, so that the doorbells are still there to be read.
  queueKeys = await stack.redis.keys(`${stack.prefix}:{fs1o1}:q:*`);
  jobData = await dump(stack.redis, queueKeys);

  apps.push(await stack.startWorker());
  for (const id of ids) await stack.verdict(id);
  const about = [{ submission_id: ids[0] }, { reference: canary.reference }, { reference: `no ${canary.fact}` }];
  for (const [index, of] of about.entries()) {
    await post({ ...of, outcome: "login_failed", label: "fraud" }, `told-${index}`, "outcomes");
  }
  jobData.push(...(await dump(stack.redis, await stack.redis.keys(`${stack.prefix}:{fs1o1}:q:*`))));
});
afterEach(async () => {
  await Promise.all(apps.map((app) => app.stop()));
  await stack.stop();
  await stopApi();
  rmSync(folder, { recursive: true, force: true });
});

function canaryEvent() {
  return anEvent({
    ip_address: canary.ip,
    user_agent: canary.userAgent,
    linked_id: canary.linkedId,
    identification: { visitor_id: canary.visitorId },
    tags: { secret: canary.fact },
  });
}

async function post(body: object, operation: string, route = "submissions"): Promise<string> {
  const context = {
    reference: canary.reference,
    flow: "login",
    ip: canary.ip,
    user_id: canary.userId,
    user_agent: canary.userAgent,
    visitor_id: canary.visitorId,
    facts: { note: canary.fact },
  };
  const response = await fetch(`${url}/v1/${route}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${canary.ingressKey}`,
      "idempotency-key": `${canary.idempotencyKey}-${operation}`,
      "content-type": "application/json",
    },
    body: JSON.stringify(route === "submissions" ? { ...body, context } : body),
  });
  return idOf(await response.json());
}

async function postWebhook(body: string, signature?: string): Promise<string> {
  const response = await fetch(`${url}/v1/webhooks/fingerprint`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "fpjs-event-signature": signature ?? signWebhook(Buffer.from(body), canary.webhookSecret),
    },
    body,
  });
  return idOf(await response.json());
}

function idOf(answer: unknown): string {
  return typeof answer === "object" && answer !== null && "id" in answer ? String(answer.id) : "";
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** Everything that stands in these keys, whatever their type. */
async function dump(redis: Redis, keys: readonly string[]): Promise<string[]> {
  const contents = await Promise.all(
    keys.map(async (key) => {
      switch (await redis.type(key)) {
        case "hash":
          return JSON.stringify(await redis.hgetall(key));
        case "stream":
          return JSON.stringify(await redis.xrange(key, "-", "+"));
        case "list":
          return JSON.stringify(await redis.lrange(key, 0, -1));
        case "zset":
          return JSON.stringify(await redis.zrange(key, 0, "-1"));
        case "string":
          return await redis.get(key);
        default:
          return "";
      }
    }),
  );
  return keys.map((key, index) => `${key} ${contents[index] ?? ""}`);
}

function expectNoCanary(texts: readonly string[], allowed: readonly (keyof typeof canary)[] = []): void {
  expect(texts.join("").length).toBeGreaterThan(100);
  const names: readonly string[] = allowed;
  for (const [name, secret] of Object.entries(canary).filter(([canaryName]) => !names.includes(canaryName))) {
    const leaks = texts.filter((text) => text.includes(secret)).map((text) => `${name}: ${text}`);
    expect(leaks).toEqual([]);
  }
}

describe("secrets and visitor data", () => {
  test("are in no log line, in no job, and in no stream of BullMQ's", () => {
    expectNoCanary(apps.flatMap(({ output }) => output));
    expect(queueKeys.some((key) => key.endsWith(":events"))).toBe(true);
    expectNoCanary(jobData);
  });

  test("are in no verdict, except the ids that it is about", async () => {
    const verdicts = (await stack.published()).map((verdict) => JSON.stringify(verdict));
    expectNoCanary(verdicts, ["visitorId", "userId", "linkedId", "reference"]);
  });

  test("are in no key of Redis's, and in nothing that counters, references and outcomes keep", async () => {
    const keys = await stack.redis.keys(`${stack.prefix}:*`);
    expectNoCanary(keys);
    const kept = keys.filter((key) => /:0:(?:n|nd|r|o|c):/.test(key));
    expect(new Set(kept.map((key) => key.split(":")[3]))).toEqual(new Set(["n", "nd", "r", "o", "c"]));
    expectNoCanary(await dump(stack.redis, kept));
  });

  test("are in no metric", async () => {
    const ports = await Promise.all(
      apps.map(async (app) => {
        const line = await app.line(({ msg }) => msg === "serving" || msg === "deciding");
        return line["admin_port"];
      }),
    );
    const metrics = await Promise.all(
      ports.map(async (port) => await (await fetch(`http://127.0.0.1:${String(port)}/metrics`)).text()),
    );
    expectNoCanary(metrics);
  });

  test("one line per verdict is logged", () => {
    const verdictLines = apps.flatMap(({ output }) => output).filter((line) => line.includes('"msg":"verdict"'));
    expect(verdictLines).toHaveLength(4);
  });
});
