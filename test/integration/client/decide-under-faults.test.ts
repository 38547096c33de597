import { randomUUID } from "node:crypto";
import { type AssayClient, createAssayClient } from "@assay/client";
import { metaKey, submissionId } from "@assay/protocol";
import { afterEach, describe, expect, inject, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import type { PrivateRedis } from "../../support/private-redis.ts";
import { startRedis } from "../../support/redis-server.ts";
import { startIngress } from "../ingress/open-ingress.ts";
import { openInstallation } from "./installation.ts";

const SEALED = { sealed_result: Buffer.from("a sealed result").toString("base64") };
const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function aRedis(): Promise<PrivateRedis> {
  const server = await startRedis();
  ends.push(() => server.stop());
  return server;
}

function aClient(...options: Parameters<typeof createAssayClient>): AssayClient {
  const client = createAssayClient(...options);
  ends.push(() => client.close());
  return client;
}

async function anInstallation(url: string) {
  const installation = await openInstallation(url);
  ends.push(() => installation.close());
  return installation;
}

async function timed<Result>(work: Promise<Result>): Promise<{ result: Result; tookMs: number }> {
  const startedAt = performance.now();
  return { result: await work, tookMs: performance.now() - startedAt };
}

describe("decide", () => {
  test("answers within its budget while Redis hangs, and never doubles what it may have accepted", async () => {
    const server = await aRedis();
    const { prefix, redis, keys } = await anInstallation(server.url);
    const client = aClient({ connection: server.url, prefix });
    await client.submit(SEALED);
    const idempotencyKey = randomUUID();
    const id = submissionId("0", "default", idempotencyKey);

    await server.kill("SIGSTOP");
    const { result, tookMs } = await timed(client.decide(SEALED, { idempotencyKey, otherwise: "challenge" }));
    expect(result).toEqual({ reason: "unavailable", action: "challenge", id });
    expect(tookMs).toBeGreaterThan(250);
    expect(tookMs).toBeLessThan(1000);

    await server.kill("SIGCONT");
    expect((await client.submit(SEALED, { idempotencyKey })).id).toBe(id);
    expect(await redis.zcard(keys.pending("results"))).toBe(2);
  });

  test("answers within its budget while the Redis of its ingress hangs", async () => {
    const server = await aRedis();
    const ingress = await startIngress(server.url, { ASSAY_INGRESS_KEYS: "secret" });
    ends.push(() => ingress.close());
    const client = aClient({ url: ingress.baseUrl, key: "secret" });
    await client.submit(SEALED);
    const idempotencyKey = randomUUID();

    await server.kill("SIGSTOP");
    const { result, tookMs } = await timed(client.decide(SEALED, { idempotencyKey }));
    expect(result).toEqual({
      reason: "unavailable",
      action: "allow",
      id: submissionId("0", "default", idempotencyKey),
    });
    expect(tookMs).toBeLessThan(1000);
    await server.kill("SIGCONT");
  });

  test("answers within its budget before there is a Redis, and decides once there is one", async () => {
    const server = await aRedis();
    const installation = await anInstallation(server.url);
    const { prefix } = installation;
    await server.kill("SIGKILL");
    const client = aClient({ connection: server.url, prefix });
    const { result, tookMs } = await timed(client.decide(SEALED));
    expect(result).toMatchObject({ reason: "unavailable", action: "allow" });
    expect(tookMs).toBeLessThan(1500);

    await server.restart();
    const idempotencyKey = randomUUID();
    const deciding = client.decide(SEALED, { idempotencyKey, timeoutMs: 20_000 });
    const id = submissionId("0", "default", idempotencyKey);
    await eventually(async () => (await installation.decideAll()).includes(id));
    expect(await deciding).toMatchObject({ reason: "decided" });
  });

  test("keeps waiting for the verdict while Redis is away for a moment", async () => {
    const server = await aRedis();
    const installation = await anInstallation(server.url);
    const { prefix, redis, keys } = installation;
    const client = aClient({ connection: server.url, prefix });
    const deciding = client.decide(SEALED, { timeoutMs: 20_000 });
    await eventually(async () => (await redis.zcard(keys.pending("results"))) === 1);
    await server.restart();
    await eventually(async () => (await installation.decideAll()).length === 1);
    expect(await deciding).toMatchObject({ reason: "decided" });
  });

  test("throws that another version wrote this Redis", async () => {
    const { url, prefix, redis } = await anInstallation(inject("redisUrl"));
    await redis.hset(metaKey(prefix), "schema", 99);
    await expect(aClient({ connection: url, prefix }).decide(SEALED, { timeoutMs: 5000 })).rejects.toMatchObject({
      code: "schema_mismatch",
    });
  });
});

describe("createAssayClient", () => {
  test("names a submission alike by both doors", async () => {
    const ingress = await startIngress(inject("redisUrl"), { ASSAY_INGRESS_KEYS: "shop:secret" });
    ends.push(() => ingress.close());
    const { url, prefix } = ingress.installation;
    const overHttp = aClient({ url: ingress.baseUrl, key: "secret" });
    const overRedis = aClient({ connection: url, prefix, keyName: "shop" });
    const first = await overHttp.submit(SEALED, { idempotencyKey: "login-7" });
    const second = await overRedis.submit(SEALED, { idempotencyKey: "login-7" });
    expect([first.status, second.status]).toEqual(["accepted", "duplicate"]);
    expect(second.id).toBe(first.id);
  });

  test("keeps tenants and key names apart", async () => {
    const { url, prefix } = await anInstallation(inject("redisUrl"));
    const clients = [{}, { keyName: "till" }, { tenant: "acme" }].map((more) =>
      aClient({ connection: url, prefix, ...more }),
    );
    const receipts = await Promise.all(clients.map((client) => client.submit(SEALED, { idempotencyKey: "login-7" })));
    expect(receipts.map(({ status }) => status)).toEqual(["accepted", "accepted", "accepted"]);
    expect(new Set(receipts.map(({ id }) => id)).size).toBe(3);
  });

  test("says the durability it is told, and none when it is told none", async () => {
    const { url, prefix } = await anInstallation(inject("redisUrl"));
    const told = aClient({ connection: url, prefix, durability: "local" });
    expect(await told.submit(SEALED)).toMatchObject({ durability: "local" });
    expect(await aClient({ connection: url, prefix }).submit(SEALED)).not.toHaveProperty("durability");
  });

  test("leaves no connection open when it is closed", async () => {
    const server = await aRedis();
    const { prefix, redis } = await anInstallation(server.url);
    const client = aClient({ connection: server.url, prefix });
    await client.decide(SEALED, { timeoutMs: 100 });
    client.consume({ group: "crm" }, () => undefined);
    await eventually(async () => (await clientCount(redis)) >= 4);
    await client.close();
    expect(await eventually(async () => (await clientCount(redis)) === 1)).toBe(true);
  });
});

async function clientCount(redis: { client(what: "LIST"): Promise<unknown> }): Promise<number> {
  return String(await redis.client("LIST"))
    .trim()
    .split("\n").length;
}
