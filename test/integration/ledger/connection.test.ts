import { connectForCommands, connectForWork, disconnect, whenReady } from "@assay/ledger";
import type { Redis } from "ioredis";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import type { PrivateRedis } from "../../support/private-redis.ts";
import { startRedis } from "../../support/redis-server.ts";
import { openConnection } from "./open-ledger.ts";

let server: PrivateRedis;
beforeEach(async () => {
  server = await startRedis();
  return () => server.stop();
});

function connected(connect: typeof connectForCommands, name?: string): Redis {
  const redis = connect({ url: server.url, ...(name === undefined ? {} : { name }) });
  redis.on("error", () => undefined);
  onTestFinished(() => redis.disconnect());
  return redis;
}

async function elapsedMsOf(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await act();
  return performance.now() - start;
}

describe("connectForCommands", () => {
  test("fails a command within about 2 s while Redis hangs, and works again when it is back", async () => {
    const redis = connected(connectForCommands);
    await whenReady(redis);
    await server.kill("SIGSTOP");
    const elapsedMs = await elapsedMsOf(() => expect(redis.set("key", "value")).rejects.toThrow("timed out"));
    expect(elapsedMs).toBeGreaterThan(1_500);
    expect(elapsedMs).toBeLessThan(3_000);
    await server.kill("SIGCONT");
    await eventually(async () => (await redis.get("key")) === "value");
  });

  test("queues nothing while Redis is away, and connects again by itself", async () => {
    const redis = connected(connectForCommands);
    await whenReady(redis);
    await server.kill("SIGKILL");
    await eventually(() => redis.status !== "ready");
    const elapsedMs = await elapsedMsOf(() => expect(redis.ping()).rejects.toThrow("isn't writeable"));
    expect(elapsedMs).toBeLessThan(500);
    await server.restart();
    await whenReady(redis);
    expect(await redis.ping()).toBe("PONG");
  });

  test("fails a command on a server that became a replica, and connects again", async () => {
    const redis = connected(connectForCommands);
    const admin = await openConnection(server.url);
    await whenReady(redis);
    await admin.replicaof("127.0.0.1", "1");
    const closed = new Promise((resolve) => redis.once("close", resolve));
    await expect(redis.set("key", "value")).rejects.toThrow("isn't writeable");
    await closed;
    await admin.replicaof("NO", "ONE");
    await whenReady(redis);
    expect(await redis.set("key", "value")).toBe("OK");
  });

  test("shows its name to the server", async () => {
    const redis = connected(connectForCommands, "assay-test");
    await whenReady(redis);
    expect(await redis.client("GETNAME")).toBe("assay-test");
  });
});

describe("connectForWork", () => {
  test("keeps a command until Redis is back", async () => {
    const redis = connected(connectForWork);
    await whenReady(redis);
    await server.kill("SIGKILL");
    await eventually(() => redis.status !== "ready");
    const ping = redis.ping();
    await server.restart();
    expect(await ping).toBe("PONG");
  });

  test("sends a command again until the server is no longer a replica", async () => {
    const redis = connected(connectForWork);
    const admin = await openConnection(server.url);
    await whenReady(redis);
    await admin.replicaof("127.0.0.1", "1");
    const closed = new Promise((resolve) => redis.once("close", resolve));
    const set = redis.set("key", "value");
    await closed;
    await admin.replicaof("NO", "ONE");
    expect(await set).toBe("OK");
  });
});

describe("whenReady", () => {
  test("waits for a Redis that is not there yet", async () => {
    await server.kill("SIGKILL");
    const redis = connected(connectForCommands);
    let isReady = false;
    const ready = (async () => {
      await whenReady(redis);
      isReady = true;
    })();
    await new Promise((resolve) => redis.once("reconnecting", resolve));
    expect(isReady).toBe(false);
    await server.restart();
    await ready;
    expect(await redis.ping()).toBe("PONG");
  });

  test("rejects with the reason of its signal, and listens no longer", async () => {
    await server.kill("SIGKILL");
    const redis = connected(connectForCommands);
    const before = redis.listenerCount("ready");
    const abort = new AbortController();
    const ready = whenReady(redis, abort.signal);
    abort.abort(new Error("shutting down"));
    await expect(ready).rejects.toThrow("shutting down");
    expect(redis.listenerCount("ready")).toBe(before);
  });

  test("rejects at once when its signal was aborted before", async () => {
    await server.kill("SIGKILL");
    const redis = connected(connectForCommands);
    await expect(whenReady(redis, AbortSignal.abort(new Error("too late")))).rejects.toThrow("too late");
  });
});

describe("disconnect", () => {
  test("is done when it returns, and safe to call twice, also at once", async () => {
    const redis = connected(connectForCommands, "leaving");
    const admin = await openConnection(server.url);
    await whenReady(redis);
    await Promise.all([disconnect(redis), disconnect(redis)]);
    await disconnect(redis);
    expect(redis.status).toBe("end");
    expect(String(await admin.client("LIST"))).not.toContain("leaving");
  });

  test("lets commands that were sent before it finish", async () => {
    const redis = connected(connectForCommands);
    await whenReady(redis);
    const set = redis.set("key", "value");
    await disconnect(redis);
    expect(await set).toBe("OK");
  });

  test("does not wait for a blocking read", async () => {
    const redis = connected(connectForWork);
    await whenReady(redis);
    const read = redis.xread("BLOCK", 0, "STREAMS", "stream", "$").catch(String);
    const elapsedMs = await elapsedMsOf(() => disconnect(redis));
    expect(elapsedMs).toBeLessThan(2_000);
    expect(await read).toContain("closed");
  });

  test.each([
    { name: "commands", connect: connectForCommands },
    { name: "work", connect: connectForWork },
  ])("does not wait for a Redis that hangs, on a connection for $name", async ({ connect }) => {
    const redis = connected(connect);
    await whenReady(redis);
    await server.kill("SIGSTOP");
    const elapsedMs = await elapsedMsOf(() => disconnect(redis));
    expect(elapsedMs).toBeLessThan(2_000);
    expect(redis.status).toBe("end");
  });

  test("does not wait for a Redis that is away, and does not connect again", async () => {
    const redis = connected(connectForCommands);
    await whenReady(redis);
    await server.kill("SIGKILL");
    await new Promise((resolve) => redis.once("reconnecting", resolve));
    await disconnect(redis);
    await server.restart();
    await expect(redis.ping()).rejects.toThrow("isn't writeable");
  });
});
