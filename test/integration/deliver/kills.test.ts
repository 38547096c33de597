import { deliveryId, envelopeOf } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { type Answering } from "../../support/webhook-receiver.ts";
import { anEntry, aVerdict, type DeliverStage, openDeliverStage } from "./stage.ts";

const COUNT = 300;
const ENDPOINTS = ["orders", "desk", "flaky"];

/** Takes a moment for each, so that something is always in flight. */
const slowly: Answering = (response) => void setTimeout(() => response.writeHead(204).end(), 20);

const hasJoined = async ({ redis, keys }: DeliverStage) => {
  const groups: unknown = await redis.xinfo("GROUPS", keys.verdicts());
  return Array.isArray(groups) && groups.length === 1;
};

describe("delivering workers that are killed", () => {
  test("lose no verdict, change no body and no id, and never send more than four at once", async () => {
    const stage = await openDeliverStage();
    const seen = new Set<unknown>();
    for (const name of ENDPOINTS) stage.receiver.behave(`/${name}`, slowly);
    // Refuses one in ten the first time.
    stage.receiver.behave("/flaky", (response, webhook) => {
      const id = webhook.headers["webhook-id"];
      const isRefused = !seen.has(id) && String(id).endsWith("a");
      seen.add(id);
      if (isRefused) response.writeHead(422).end();
      else slowly(response, webhook);
    });
    await stage.endpoints(ENDPOINTS.map((name) => anEntry(stage.receiver, name)));
    let [victim, next] = await Promise.all([stage.start(), stage.start()]);
    const ids: string[] = [];
    for (let round = 0; round < 3; round++) {
      ids.push(...(await stage.publish(...Array.from({ length: COUNT / 3 }, () => ({})))));
      const soFar = stage.receiver.received("/orders").length;
      await eventually(() => stage.receiver.received("/orders").length > soFar + 10, { timeoutMs: 30_000 });
      await victim.kill("SIGKILL");
      [victim, next] = [next, await stage.start()];
    }
    for (const name of ENDPOINTS) {
      const wanted = new Set(ids.map((id) => deliveryId("0", name, id)));
      await eventually(() => new Set(received(name).map(([id]) => id)).size === wanted.size, { timeoutMs: 50_000 });
      const bodies = groupBodies(name);
      expect(new Set(bodies.keys())).toEqual(wanted);
      expect([...bodies.values()].filter((each) => each.size !== 1)).toEqual([]);
      expect(stage.receiver.mostAtOnce(`/${name}`)).toBeLessThanOrEqual(4);
      await eventually(async () => (await stage.redis.zcard(stage.keys.undelivered(name))) === 0, {
        timeoutMs: 30_000,
      });
    }

    function received(name: string): (readonly [string, string])[] {
      return stage.receiver.received(`/${name}`).map(({ headers, body }) => [String(headers["webhook-id"]), body]);
    }

    function groupBodies(name: string): Map<string, Set<string>> {
      const groups = new Map<string, Set<string>>();
      for (const [id, body] of received(name)) groups.set(id, (groups.get(id) ?? new Set()).add(body));
      return groups;
    }
  }, 120_000);

  test("hold nothing up for three seconds", async () => {
    const stage = await openDeliverStage();
    const isDead = { value: false };
    stage.receiver.behave("/orders", (response) => {
      if (isDead.value) response.writeHead(204).end();
    });
    await stage.endpoints([anEntry(stage.receiver, "orders")]);
    const victim = await stage.start();
    await stage.publish(...Array.from({ length: 5 }, () => ({})));
    await eventually(() => stage.receiver.received("/orders").length === 4);
    await stage.start();
    isDead.value = true;
    const killedAt = performance.now();
    await victim.kill("SIGKILL");
    const arrived = () => stage.receiver.received("/orders").slice(4);
    await eventually(() => arrived().length === 5);
    expect(new Set(arrived().map(({ headers }) => headers["webhook-id"])).size).toBe(5);
    for (const { at } of arrived()) expect(at - killedAt).toBeLessThan(3000);
  });

  test("leave what they were about to plan to others, within three seconds", async () => {
    const stage = await openDeliverStage();
    await stage.endpoints([anEntry(stage.receiver, "orders")]);
    await stage.start();
    await eventually(() => hasJoined(stage));
    const dead = ["GROUP", "assay-deliver", "dead", "COUNT", 9, "STREAMS", stage.keys.verdicts(), ">"] as const;
    const reading = stage.redis.multi();
    reading.xadd(stage.keys.verdicts(), "*", "e", JSON.stringify(envelopeOf(aVerdict()))).xreadgroup(...dead);
    const readAt = performance.now();
    await reading.exec();
    const [webhook] = await eventually(() => {
      const all = stage.receiver.received("/orders");
      return all.length === 1 && all;
    });
    expect((webhook?.at ?? 0) - readAt).toBeLessThan(3000);
  });
});

describe("a try that takes longer than a lease", () => {
  test.each([
    ["while its worker lives", false],
    ["while its worker stops", true],
  ])("is nobody else's %s", async (_, isStopping) => {
    const stage = await openDeliverStage();
    stage.receiver.behave("/orders", (response) => void setTimeout(() => response.writeHead(204).end(), 6000));
    await stage.endpoints([anEntry(stage.receiver, "orders")]);
    const first = await stage.run();
    await eventually(() => hasJoined(stage));
    const [id = ""] = await stage.publish({});
    await eventually(() => stage.receiver.received("/orders").length === 1);
    await stage.run();
    if (isStopping) void first.stop();
    const delivery = stage.keys.delivery(deliveryId("0", "orders", id));
    await eventually(async () => (await stage.redis.exists(delivery)) === 0, { timeoutMs: 15_000 });
    expect(stage.receiver.received("/orders")).toHaveLength(1);
  });
});
