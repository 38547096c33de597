import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, RedisUnfitError } from "@assay/host";
import { createIngress, type Ingress, loadConfig } from "@assay/ingress";
import { signWebhook } from "@assay/fingerprint";
import { metaKey, submissionId } from "@assay/protocol";
import { Redis } from "ioredis";
import { afterEach, describe, expect, inject, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { freePort, type PrivateRedis } from "../../support/private-redis.ts";
import { startRedis } from "../../support/redis-server.ts";
import { anEventId, aProblem, type OpenIngress, startIngress, WEBHOOK_SECRETS } from "./open-ingress.ts";

const ANSWER_MS = 2500;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

describe("while Redis hangs", () => {
  test("answers 503 within 2.5 s to a submission, with its id", async () => {
    const { door, redis } = await withOwnRedis();
    await redis.kill("SIGSTOP");
    const key = randomUUID();
    const { answer, ms } = await timed(door.submit({ event_id: anEventId() }, { key }));
    expect(answer).toEqual(aProblem(503, "unavailable", { retryable: true, id: submissionId("0", "shop", key) }));
    expect(answer.headers.get("retry-after")).toBe("1");
    expect(ms).toBeLessThan(ANSWER_MS);
  });

  test("answers 503 when the wait is over, not later, and says that it is not confirmed", async () => {
    const { door, redis } = await withOwnRedis();
    await redis.kill("SIGSTOP");
    const key = randomUUID();
    const { answer, ms } = await timed(door.submit({ event_id: anEventId() }, { key, wait: 0.3 }));
    expect(answer).toEqual(aProblem(503, "not_confirmed", { retryable: true, id: submissionId("0", "shop", key) }));
    expect(ms).toBeLessThan(1000);
  });

  test("answers 503 within 2.5 s to a webhook and to a read", async () => {
    const { door, redis } = await withOwnRedis();
    await redis.kill("SIGSTOP");
    const id = submissionId("0", "shop", randomUUID());
    const [webhook, read] = await Promise.all([timed(deliver(door)), timed(door.read(`/v1/verdicts/${id}`))]);
    expect(webhook.answer.status).toBe(503);
    expect(read.answer).toEqual(aProblem(503, "unavailable", { id }));
    expect(Math.max(webhook.ms, read.ms)).toBeLessThan(ANSWER_MS);
  });

  test("answers 503 within 2.5 s to each of many at once", async () => {
    const { door, redis } = await withOwnRedis();
    await redis.kill("SIGSTOP");
    const all = await Promise.all(Array.from({ length: 400 }, () => timed(door.submit({ event_id: anEventId() }))));
    expect(new Set(all.map(({ answer }) => answer.status))).toEqual(new Set([503]));
    // Unbounded, the second round of batches would answer after 4 s. The client's own queue of answers is allowed for.
    expect(Math.max(...all.map(({ ms }) => ms))).toBeLessThan(3700);
  });

  test("is not ready, but alive, and counts the trouble", async () => {
    const { door, redis } = await withOwnRedis();
    await redis.kill("SIGSTOP");
    await door.submit({ event_id: anEventId() });
    await eventually(async () => (await door.admin("/readyz")).status === 503);
    await expect(door.admin("/livez")).resolves.toMatchObject({ status: 200 });
    expect((await door.admin("/metrics")).text).toMatch(/assay_redis_errors_total\{kind="timeout",app="ingress"\} \d/);
  });

  test("accepts under the same key once Redis is back", async () => {
    const { door, redis } = await withOwnRedis();
    await redis.kill("SIGSTOP");
    const key = randomUUID();
    const body = { event_id: anEventId() };
    await door.submit(body, { key, wait: 0.1 });
    await redis.kill("SIGCONT");
    const answer = await eventually(async () => {
      const tried = await door.submit(body, { key });
      return tried.status === 202 && tried;
    });
    expect(answer).toMatchObject({ json: { id: submissionId("0", "shop", key) } });
  });
});

describe("while Redis is away", () => {
  test("answers 503 at once, and serves again when it is back", async () => {
    const { door, redis } = await withOwnRedis();
    await redis.kill("SIGKILL");
    const { answer, ms } = await timed(door.submit({ event_id: anEventId() }));
    expect(answer).toEqual(aProblem(503, "unavailable"));
    expect(ms).toBeLessThan(ANSWER_MS);
    await redis.restart();
    await eventually(async () => (await door.submit({ event_id: anEventId() })).status === 202);
  });

  test("stops", async () => {
    const { door, redis } = await withOwnRedis();
    await redis.kill("SIGKILL");
    await expect(door.ingress.stop()).resolves.toBeUndefined();
  });
});

describe("while Redis is nearly full", () => {
  test("sheds the background, then clients, and opens again when there is room", async () => {
    const { door, redis } = await withOwnRedis();
    await setMaxmemory(redis, (used) => Math.round(used / 0.8));
    await eventually(async () => (await deliver(door)).status === 503);
    const refused = await eventually(async () => {
      const answer = await door.submit({ event_id: anEventId() });
      return answer.status === 503 && answer;
    });
    expect(refused).toEqual(aProblem(503, "memory_shed", { retryable: true, id: expect.any(String) }));
    expect(refused.headers.get("retry-after")).toBe("5");
    await expect(door.admin("/metrics")).resolves.toMatchObject({
      text: expect.stringMatching(/assay_shed_total\{lane="background",reason="memory",app="ingress"\} \d/),
    });
    await setMaxmemory(redis, (used) => used * 4);
    await eventually(async () => (await deliver(door)).status === 202);
    await eventually(async () => (await door.submit({ event_id: anEventId() })).status === 202);
  });
});

describe("createIngress", () => {
  test("waits for a Redis that is not there yet, alive but not ready", async () => {
    const redis = await ownRedis();
    await redis.kill("SIGKILL");
    const { ingress, adminPort } = await unstarted({ REDIS_URL: redis.url });
    const started = ingress.start();
    const status = async (path: string) => (await fetch(`http://127.0.0.1:${adminPort}${path}`)).status;
    await eventually(async () => (await status("/livez")) === 200);
    expect(await status("/readyz")).toBe(503);
    await redis.restart();
    await expect(started).resolves.toMatchObject({ adminPort });
    await eventually(async () => (await status("/readyz")) === 200);
  });

  test("stops while it waits for Redis", async () => {
    const redis = await ownRedis();
    await redis.kill("SIGKILL");
    const { ingress } = await unstarted({ REDIS_URL: redis.url });
    const started = ingress.start();
    const ended = started.catch((reason: unknown) => reason);
    await ingress.stop();
    expect(await ended).toMatchObject({ name: "AbortError" });
  });

  test("refuses a Redis that cannot keep its promises, with every fault", async () => {
    const redis = await ownRedis({ appendfsync: "everysec", "maxmemory-policy": "allkeys-lru" });
    const { ingress } = await unstarted({ REDIS_URL: redis.url });
    const error: unknown = await ingress.start().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RedisUnfitError);
    expect(error).toMatchObject({ code: "redis_unfit", faults: [expect.any(String), expect.any(String)] });
  });

  test("takes that Redis where no more is promised", async () => {
    const redis = await ownRedis({ appendfsync: "everysec" });
    const { ingress } = await unstarted({ REDIS_URL: redis.url, ASSAY_DURABILITY: "memory" });
    await expect(ingress.start()).resolves.toMatchObject({ port: expect.any(Number) });
  });

  test("refuses a Redis of another schema", async () => {
    const prefix = `t${randomUUID().slice(0, 8)}`;
    const redis = new Redis(inject("redisUrl"));
    await redis.hset(metaKey(prefix), "schema", "99");
    redis.disconnect();
    const { ingress } = await unstarted({ ASSAY_PREFIX: prefix });
    await expect(ingress.start()).rejects.toMatchObject({ code: "redis_unfit" });
  });

  test("says which variable to change when its port is taken", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { ingress } = await unstarted({ PORT: String(port) });
    await expect(ingress.start()).rejects.toMatchObject({
      code: "port_unavailable",
      message: expect.stringContaining("PORT"),
    });
    taken.close();
  });

  test("answers whoever waits before it stops, and may be stopped twice", async () => {
    const door = await startIngress(inject("redisUrl"));
    const key = randomUUID();
    const waiting = door.submit({ event_id: anEventId() }, { key, wait: 30 });
    const { redis, keys } = door.installation;
    await eventually(async () => (await redis.exists(keys.record(submissionId("0", "shop", key)))) === 1);
    await Promise.all([door.ingress.stop(), door.ingress.stop()]);
    await expect(waiting).resolves.toMatchObject({ status: 202, json: { status: "pending" } });
    await expect(door.submit({ event_id: anEventId() })).rejects.toThrow("fetch failed");
    await door.close();
  });

  test("takes a key that was put into its file, and keeps the old ones when the file is broken", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "ingress-")), "keys");
    writeFileSync(file, "shop:shop-secret");
    const door = await startIngress(inject("redisUrl"), {
      ASSAY_INGRESS_KEYS: undefined,
      ASSAY_INGRESS_KEYS_FILE: file,
    });
    closing.push(() => door.close());
    const as = (secret: string) =>
      door.submit({ event_id: anEventId() }, { headers: { authorization: `Bearer ${secret}` } });
    await expect(as("new-secret")).resolves.toMatchObject({ status: 401 });
    writeFileSync(file, "shop:shop-secret,shop:new-secret");
    await eventually(async () => (await as("new-secret")).status === 202);
    writeFileSync(file, "Not A Name:new-secret");
    await eventually(() => door.log.some((line) => line.includes("not usable")));
    await expect(as("new-secret")).resolves.toMatchObject({ status: 202 });
  });
});

async function withOwnRedis(): Promise<{ door: OpenIngress; redis: PrivateRedis }> {
  const redis = await ownRedis();
  const door = await startIngress(redis.url);
  closing.push(async () => {
    await redis.kill("SIGCONT");
    await door.close();
  });
  await eventually(async () => (await door.admin("/readyz")).status === 200);
  return { door, redis };
}

async function ownRedis(config: Readonly<Record<string, string>> = {}): Promise<PrivateRedis> {
  const redis = await startRedis({ config });
  closing.push(() => redis.stop());
  return redis;
}

/** An ingress that was not started, and its admin port. */
async function unstarted(env: Readonly<Record<string, string>>): Promise<{ ingress: Ingress; adminPort: number }> {
  const adminPort = await freePort();
  const config = loadConfig({
    REDIS_URL: inject("redisUrl"),
    ASSAY_INGRESS_KEYS: "shop:shop-secret",
    PORT: "0",
    ASSAY_ADMIN_PORT: String(adminPort),
    ...env,
  });
  const ingress = createIngress(config, {
    logger: createLogger({ name: "ingress", level: "silent" }),
    host: "127.0.0.1",
  });
  closing.push(() => ingress.stop());
  return { ingress, adminPort };
}

// With ballast, so that a connection's buffers move the ratio by little.
async function setMaxmemory(target: PrivateRedis, bytes: (used: number) => number): Promise<void> {
  const redis = new Redis(target.url);
  await redis.setrange("ballast", 32 * 1024 * 1024, "end");
  const used = Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);
  await redis.config("SET", "maxmemory", bytes(used));
  redis.disconnect();
}

function deliver(door: OpenIngress) {
  const body = Buffer.from(JSON.stringify({ event_id: anEventId(), timestamp: 1_700_000_000_000 }));
  const headers = { "fpjs-event-signature": signWebhook(body, WEBHOOK_SECRETS[0]) };
  return door.request("/v1/webhooks/fingerprint", { method: "POST", body, headers });
}

async function timed<Result>(work: Promise<Result>): Promise<{ answer: Result; ms: number }> {
  const startedAt = performance.now();
  return { answer: await work, ms: performance.now() - startedAt };
}
