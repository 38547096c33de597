import { once } from "node:events";
import { type ConsumeOptions, createAssayClient, NotOverHttpError, type Verdict } from "@assay/client";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startRedis } from "../../support/redis-server.ts";
import { GROUP, openStage, QUICK, type Stage } from "./stage.ts";

let stage: Stage;

beforeEach(async () => {
  stage = await openStage(inject("redisUrl"));
});

afterEach(async () => {
  await stage.close();
});

describe("consume", () => {
  test("acknowledges what its handler is through with", async () => {
    const ids = await stage.publish("allow", "block");
    const seen: string[] = [];
    stage.aClient().consume(QUICK, (verdict) => void seen.push(verdict.id));
    await eventually(() => seen.length === 2);
    expect(seen).toEqual(ids);
    await eventually(async () => (await stage.pendingCount()) === 0);
  });

  test("begins with what comes from now on, unless told otherwise", async () => {
    await stage.publish("allow");
    const seen: Verdict[] = [];
    stage.aClient().consume({ group: GROUP }, (verdict) => void seen.push(verdict));
    await eventually(
      async () => (await stage.installation.redis.xinfo("GROUPS", stage.installation.keys.verdicts())) !== undefined,
    );
    const [id] = await stage.publish("block");
    await eventually(() => seen.length > 0);
    expect(seen.map((verdict) => verdict.id)).toEqual([id]);
  });

  test.each<[string, ConsumeOptions["filter"], number[]]>([
    ["an action", { action: "block" }, [1]],
    ["one of several actions", { action: ["block", "review"] }, [1, 2]],
    ["a flow", { flow: "pay" }, [0, 2]],
    ["a flow and an action", { flow: "pay", action: ["allow", "block"] }, [0]],
    ["a kind", { kind: "sealed" }, []],
  ])("hands over what matches %s and acknowledges the rest", async (_, filter, matching) => {
    const ids = await stage.publish("allow", "block", "review");
    const seen: string[] = [];
    stage
      .aClient()
      .consume({ ...QUICK, ...(filter === undefined ? {} : { filter }) }, (verdict) => void seen.push(verdict.id));
    await eventually(() => stage.allAcknowledged());
    expect(seen).toEqual(matching.map((index) => ids[index]));
  });

  test("runs no more handlers at once than told", async () => {
    await stage.publish("allow", "allow", "allow", "allow", "allow");
    let running = 0;
    let most = 0;
    let done = 0;
    stage.aClient().consume({ ...QUICK, concurrency: 2 }, async () => {
      most = Math.max(most, ++running);
      await stage.installation.redis.ping();
      running--;
      done++;
    });
    await eventually(() => done === 5);
    expect(most).toBe(2);
  });

  test("shares a group's verdicts and gives each group all", async () => {
    const seen = new Map<string, string[]>();
    const consume = (name: string, group: string) =>
      stage.aClient().consume({ ...QUICK, group }, (verdict) => {
        seen.set(name, [...(seen.get(name) ?? []), verdict.id]);
      });
    consume("a", "one");
    consume("b", "one");
    consume("c", "two");
    const ids = await stage.publish("allow", "block", "review", "challenge");
    const of = (...names: string[]) => names.flatMap((name) => seen.get(name) ?? []);
    await eventually(() => of("a", "b").length === 4 && of("c").length === 4);
    expect(new Set(of("a", "b"))).toEqual(new Set(ids));
    expect(new Set(of("c"))).toEqual(new Set(ids));
  });

  test("finishes the running handlers when it is stopped, tells them, and takes no more", async () => {
    await stage.publish("allow");
    const seen: string[] = [];
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const consumer = stage.aClient().consume(QUICK, async (_, { signal }) => {
      seen.push("begun");
      await once(signal, "abort");
      await released;
      seen.push("finished");
    });
    await eventually(() => seen.length === 1);
    const stopping = Promise.all([consumer.stop(), consumer.stop()]).then(() => seen.push("stopped"));
    // Longer than it takes to stop with nothing to wait for.
    for (let more = 0; more < 500; more++) await stage.installation.redis.ping();
    release();
    await stopping;
    await stage.publish("block");
    expect(seen).toEqual(["begun", "finished", "stopped"]);
    expect(await stage.pendingCount()).toBe(0);
    expect(await stage.infos("CONSUMERS")).toEqual([]);
  });

  test("ends by its signal", async () => {
    const controller = new AbortController();
    const consumer = stage.aClient().consume({ ...QUICK, signal: controller.signal }, () => undefined);
    await eventually(async () => (await stage.pendingCount()) === 0);
    controller.abort();
    await consumer.stop();
    expect(await stage.infos("CONSUMERS")).toEqual([]);
  });

  test("waits for a Redis that went away, and makes its group anew when that came back empty", async () => {
    const server = await startRedis({ config: { appendonly: "no" } });
    await stage.close();
    stage = await openStage(server.url);
    const errors: unknown[] = [];
    const seen: string[] = [];
    stage
      .aClient()
      .consume({ ...QUICK, onError: (error) => errors.push(error) }, (verdict) => void seen.push(verdict.id));
    const [first] = await stage.publish("allow");
    await eventually(() => seen.length === 1);
    await server.restart();
    await eventually(() => stage.installation.redis.ping());
    const [second] = await stage.publish("block");
    await eventually(() => seen.length === 2, { timeoutMs: 20_000 });
    expect(seen).toEqual([first, second]);
    await stage.close();
    await server.stop();
  });

  test("needs a connection to Redis", () => {
    const client = createAssayClient({ url: "http://127.0.0.1:1", key: "secret" });
    expect(() => client.consume({ group: GROUP }, () => undefined)).toThrow(NotOverHttpError);
  });

  test("stops while Redis is away", async () => {
    const server = await startRedis();
    const client = createAssayClient({ connection: server.url });
    const consumer = client.consume(QUICK, () => undefined);
    await client.getVerdict("s_none").catch(() => undefined);
    await server.kill("SIGKILL");
    await expect(consumer.stop()).resolves.toBeUndefined();
    await client.close();
    await server.stop();
  });
});
