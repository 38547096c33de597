import { replayDeliveries } from "@assay/ledger";
import { deliveryId } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { type Answering, saying, silent, taking } from "../../support/webhook-receiver.ts";
import { anEntry, aVerdict, type DeliverStage, openDeliverStage } from "./stage.ts";

const HOUR_MS = 3_600_000;

/** Answers with more than anybody wants to read, and then goes on. */
const endless: Answering = (response) => {
  response.writeHead(200, { "content-type": "text/plain" });
  const more = () => {
    while (!response.destroyed && response.write("x".repeat(64 * 1024)));
  };
  response.on("drain", more);
  more();
};

const resetting: Answering = (response) => void response.socket?.resetAndDestroy();

/** Says 200, and never ends its answer. */
const unending: Answering = (response) => void response.writeHead(200, { "content-length": "10" }).write("x");

const failuresOf = async ({ redis, keys }: DeliverStage, id: string) =>
  await redis.hget(keys.delivery(deliveryId("0", "bad", id)), "n");

const reasonsOf = ({ log }: DeliverStage) =>
  log.flatMap((line) => {
    const { msg, reason }: { msg?: string; reason?: string } = JSON.parse(line);
    return msg === "a delivery failed" ? [reason] : [];
  });

async function openBad(entry: object = {}): Promise<DeliverStage> {
  const stage = await openDeliverStage();
  await stage.endpoints([anEntry(stage.receiver, "bad", entry)]);
  return stage;
}

describe("a receiver that fails", () => {
  test.each([
    ["says 500", "server_error", saying(500)],
    ["says 404", "client_error", saying(404)],
    ["redirects", "redirect", saying(302, { location: "/elsewhere" })],
    ["resets the connection", "connection", resetting],
    ["says nothing in time", "timeout", silent],
  ])("and %s is tried again later, and followed nowhere", async (_, reason, answering) => {
    const stage = await openBad();
    stage.receiver.behave("/bad", answering);
    await stage.run({ deliveries: { timing: { tryMs: 300 } } });
    const [id = ""] = await stage.publish({});
    await eventually(async () => (await failuresOf(stage, id)) === "1");
    await eventually(() => reasonsOf(stage).includes(reason));
    expect(stage.receiver.received("/elsewhere")).toEqual([]);
  });

  test("and has no TLS is tried again later", async () => {
    const stage = await openDeliverStage();
    const url = stage.receiver.url("/bad").replace("http:", "https:");
    await stage.endpoints([anEntry(stage.receiver, "bad", { url })]);
    await stage.run();
    const [id = ""] = await stage.publish({});
    await eventually(async () => (await failuresOf(stage, id)) === "1");
    expect(reasonsOf(stage)).toEqual(["tls"]);
    expect(stage.receiver.received("/bad")).toEqual([]);
  });

  test.each([
    // It is cut off long before its time.
    ["answers without end", endless, 60_000],
    ["does not end its answer", unending, 1000],
  ])("not, but %s, has taken it, and is cut off", async (_, answering, tryMs) => {
    const stage = await openBad();
    stage.receiver.behave("/bad", answering);
    const worker = await stage.run({ deliveries: { timing: { tryMs } } });
    const [id = ""] = await stage.publish({});
    await eventually(async () =>
      (await stage.metrics(worker)).includes(`assay_deliveries_total{outcome="delivered",app="worker"} 1`),
    );
    expect(await stage.redis.exists(stage.keys.delivery(deliveryId("0", "bad", id)))).toBe(0);
  });

  test("with 429 is left alone for as long as it asks", async () => {
    const stage = await openBad();
    stage.receiver.behave("/bad", saying(429, { "retry-after": "3600" }));
    await stage.run();
    const before = Date.now();
    const [id = ""] = await stage.publish({});
    await eventually(async () => (await failuresOf(stage, id)) === "1");
    const due = Number(await stage.redis.zscore(stage.keys.deliveriesDue("bad"), deliveryId("0", "bad", id)));
    expect(due).toBeGreaterThanOrEqual(before + HOUR_MS);
    expect(Number(await stage.redis.hget(stage.keys.endpoint("bad"), "r"))).toBeGreaterThanOrEqual(before + HOUR_MS);
    expect(stage.receiver.received("/bad")).toHaveLength(1);
  });

  test("with 410 is put on hold; what is held comes when the file says that it is resumed", async () => {
    const stage = await openBad();
    stage.receiver.behave("/bad", saying(410));
    const worker = await stage.run();
    await stage.publish({});
    const paused = (value: number) => `assay_endpoint_paused{endpoint="bad",app="worker"} ${value}`;
    await eventually(async () => (await stage.metrics(worker)).includes(paused(1)));
    await stage.publish({});
    await eventually(async () => (await stage.redis.zcard(stage.keys.undelivered("bad"))) === 2);
    stage.receiver.behave("/bad", taking);
    const resumed = new Date(Date.now() + 1000).toISOString();
    await stage.endpoints([anEntry(stage.receiver, "bad", { resumed })]);
    await eventually(async () => (await stage.metrics(worker)).includes(paused(0)));
    await eventually(() => stage.receiver.received("/bad").length === 3);
    const [first, ...later] = stage.receiver.received("/bad").map(({ headers }) => headers["webhook-id"]);
    expect(new Set(later).size).toBe(2);
    expect(later).toContain(first);
  });

  test("and does nothing else is put on hold in the end, and tells in the log", async () => {
    const stage = await openBad();
    stage.receiver.behave("/bad", saying(500));
    const worker = await stage.run({ deliveries: { timing: { pauseAfterMs: 0 } } });
    await stage.publish({});
    await eventually(async () =>
      (await stage.metrics(worker)).includes(`assay_endpoint_paused{endpoint="bad",app="worker"} 1`),
    );
    expect(stage.log.filter((line) => line.includes("the endpoint is on hold"))).toHaveLength(1);
    expect(await stage.redis.zcard(stage.keys.undelivered("bad"))).toBe(1);
  });

  test("to the last is a dead letter, which can be replayed under its id", async () => {
    const stage = await openBad();
    stage.receiver.behave("/bad", saying(500));
    await stage.run();
    const [id = ""] = await stage.publish({});
    const delivery = deliveryId("0", "bad", id);
    await eventually(async () => (await failuresOf(stage, id)) === "1");
    await stage.redis.hset(stage.keys.delivery(delivery), "n", 9);
    await stage.redis.zadd(stage.keys.deliveriesDue("bad"), "XX", 1, delivery);
    await eventually(async () => (await stage.redis.xlen(stage.keys.deadLetters("delivery"))) === 1);
    stage.receiver.behave("/bad", taking);
    expect(await replayDeliveries(stage.redis, stage.keys, "bad", 0)).toBe(1);
    await eventually(() => stage.receiver.received("/bad").length === 3);
    expect(new Set(stage.receiver.received("/bad").map(({ headers }) => headers["webhook-id"]))).toEqual(
      new Set([delivery]),
    );
  });

  test("five times in a row is probed by one delivery at a time, and then gets all", async () => {
    const stage = await openBad();
    stage.receiver.behave("/bad", saying(500));
    await stage.run({ deliveries: { timing: { probeAfterMs: 2000 } } });
    await stage.publish(...Array.from({ length: 40 }, () => ({})));
    const failed = await eventually(() => {
      const { length } = stage.receiver.received("/bad");
      return length >= 6 && length;
    });
    // Those that were in flight when it opened, and a probe.
    expect(failed).toBeLessThanOrEqual(9);
    stage.receiver.behave("/bad", taking);
    await eventually(async () => (await stage.redis.zcard(stage.keys.undelivered("bad"))) <= 9, { timeoutMs: 20_000 });
  });
});

describe("an address", () => {
  test.each([
    "http://127.0.0.1:1/",
    "https://[::1]:1/",
    "https://[::ffff:10.0.0.1]/",
    "https://169.254.169.254/",
    "https://0x7f.1/",
  ])("that is not public is not connected to: %s", async (url) => {
    const stage = await openDeliverStage();
    await stage.endpoints([anEntry(stage.receiver, "bad", { url, allow_private: false })]);
    await stage.run({ env: { ASSAY_ENDPOINTS_ALLOW: "203.0.113.0/24" } });
    const [id = ""] = await stage.publish({});
    await eventually(async () => (await failuresOf(stage, id)) === "1");
    expect(reasonsOf(stage)).toEqual(["refused_address"]);
  });

  test("in a block that is named may be connected to", async () => {
    const stage = await openBad({ allow_private: false });
    await stage.run({ env: { ASSAY_ENDPOINTS_ALLOW: "127.0.0.0/8" } });
    await stage.publish({});
    await eventually(() => stage.receiver.received("/bad").length === 1);
    expect(reasonsOf(stage)).toEqual([]);
  });

  test("is the one that was judged, however the name answers a moment later", async () => {
    const stage = await openDeliverStage();
    const url = `http://rebinding.test:${stage.receiver.port}/bad`;
    await stage.endpoints([anEntry(stage.receiver, "bad", { url })]);
    stage.receiver.behave("/bad", saying(204, { connection: "close" }));
    const answers = ["127.0.0.1", "169.254.169.254"];
    let asked = 0;
    const resolve = async () => [{ address: answers[asked++] ?? "127.0.0.1", family: 4 }];
    await stage.run({ deliveries: { resolve } });
    await stage.publish({});
    await eventually(() => stage.receiver.received("/bad").length === 1);
    // Nothing but the one answer can have led there, as nobody else knows the name.
    expect(asked).toBe(1);
    await stage.publish({});
    await eventually(() => reasonsOf(stage).includes("refused_address"));
    expect([asked, stage.receiver.received("/bad").length]).toEqual([2, 1]);
  });
});

describe("a dead endpoint", () => {
  test("delays no other: nineteen of twenty verdicts are there within a second", async () => {
    const stage = await openDeliverStage();
    const dead = Array.from({ length: 5 }, (_, n) => `dead${n}`);
    for (const name of dead) stage.receiver.behave(`/${name}`, silent);
    await stage.endpoints([...dead, "good"].map((name) => anEntry(stage.receiver, name)));
    await stage.run({ deliveries: { timing: { tryMs: 5000 } } });
    const publishedAt = new Map<string, number>();
    for (let n = 0; n < 100; n++) {
      const verdict = aVerdict();
      publishedAt.set(deliveryId("0", "good", verdict.id), performance.now());
      await stage.publish(verdict);
    }
    await eventually(() => stage.receiver.received("/good").length === 100);
    const delays = stage.receiver
      .received("/good")
      .map(({ headers, at }) => at - (publishedAt.get(String(headers["webhook-id"])) ?? 0))
      .toSorted((a, b) => a - b);
    expect(delays[94]).toBeLessThan(1000);
    expect(stage.receiver.mostAtOnce("/dead0")).toBe(4);
  });
});
