import { deliveryId, envelopeOf } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { assay } from "../../support/assay-command.ts";
import { eventually } from "../../support/eventually.ts";
import { saying, taking } from "../../support/webhook-receiver.ts";
import { anEntry, aVerdict, type DeliverStage, openDeliverStage } from "./stage.ts";

const HOUR_MS = 3_600_000;

async function openOrders(entry: object = {}): Promise<DeliverStage> {
  const stage = await openDeliverStage();
  await stage.endpoints([anEntry(stage.receiver, "orders", entry)]);
  return stage;
}

const run = ({ env }: DeliverStage, ...args: string[]) => assay(["endpoints", ...args], { env });

async function json(stage: DeliverStage, ...args: string[]) {
  const { exitCode, stdout, stderr } = await run(stage, ...args, "--json");
  const answer: Record<string, unknown> = JSON.parse(stdout);
  return { exitCode, stderr, answer };
}

const listed = async (stage: DeliverStage) => {
  const { answer } = await json(stage, "list");
  const [endpoint] = Array.isArray(answer["endpoints"]) ? answer["endpoints"] : [];
  return Object(endpoint);
};

const webhookIds = ({ receiver }: DeliverStage, name = "orders") =>
  receiver.received(`/${name}`).map(({ headers }) => String(headers["webhook-id"]));

/** Puts a verdict into a new stream as of a time. */
const publishedAt = async ({ redis, keys }: DeliverStage, timeMs: number) => {
  const verdict = aVerdict();
  await redis.xadd(keys.verdicts(), `${timeMs}-0`, "e", JSON.stringify(envelopeOf(verdict)));
  return verdict.id;
};

describe("assay endpoints list", () => {
  test("shows how each endpoint fares, and no secret", async () => {
    const stage = await openOrders();
    await stage.run();
    await stage.publish({});
    await eventually(async () => (await listed(stage)).last_success_at > 0);
    expect(await listed(stage)).toEqual({
      name: "orders",
      host: `127.0.0.1:${stage.receiver.port}`,
      state: "delivering",
      last_success_at: expect.any(Number),
      waiting: 0,
      held: 0,
      in_flight: 0,
      dead: 0,
    });
    const { stdout, exitCode } = await run(stage, "list");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^NAME +HOST +STATE +WAITING .*\norders +127\.0\.0\.1:\d+ +delivering +0 +0 +0 +0 +20/);
    expect(stdout).not.toContain("whsec_");
  });

  test("shows what waits, what is dead and since when an endpoint fails, and forgets those that are gone", async () => {
    const stage = await openOrders();
    stage.receiver.behave("/orders", saying(500));
    await stage.run();
    await stage.publish({});
    await eventually(async () =>
      expect(await listed(stage)).toMatchObject({ waiting: 1, failing_since: expect.any(Number) }),
    );
    await stage.redis.xadd(
      stage.keys.deadLetters("delivery"),
      "*",
      "endpoint",
      "orders",
      "delivery",
      "wh_dead",
      "body",
      "{}",
    );
    expect(await listed(stage)).toMatchObject({ dead: 1 });
    await stage.endpoints([anEntry(stage.receiver, "desk")]);
    await eventually(async () => expect(await listed(stage)).toMatchObject({ name: "desk" }));
  });
});

describe("assay endpoints pause and resume", () => {
  test("hold what comes, and send it", async () => {
    const stage = await openOrders();
    await stage.run();
    expect(await json(stage, "pause", "orders")).toMatchObject({ exitCode: 0, answer: { was_paused: false } });
    const ids = await stage.publish({}, {});
    await eventually(async () => expect(await listed(stage)).toMatchObject({ state: "paused", why: "asked", held: 2 }));
    expect(stage.receiver.received("/orders")).toEqual([]);
    expect((await run(stage, "list")).stdout).toMatch(/orders is on hold since 20.*because somebody asked for it/);
    expect(await json(stage, "resume", "orders")).toMatchObject({ answer: { was_paused: true, due: 2 } });
    await eventually(() => webhookIds(stage).length === 2);
    expect(new Set(webhookIds(stage))).toEqual(new Set(ids.map((id) => deliveryId("0", "orders", id))));
    expect(await listed(stage)).toMatchObject({ state: "delivering" });
  });

  test("end the hold of an endpoint that said that it is gone", async () => {
    const stage = await openOrders();
    stage.receiver.behave("/orders", saying(410));
    await stage.run();
    await stage.publish({});
    await eventually(async () => expect(await listed(stage)).toMatchObject({ state: "paused", why: "gone", held: 1 }));
    stage.receiver.behave("/orders", taking);
    await run(stage, "resume", "orders");
    await eventually(() => webhookIds(stage).length === 2);
  });
});

describe("assay endpoints replay", () => {
  test("sends every verdict since a time again that the endpoint wants, under its id, and no other", async () => {
    const stage = await openOrders({ filter: `action == "block"` });
    await stage.run();
    const before = await publishedAt(stage, Date.now() - 2 * HOUR_MS);
    const [first = "", , , second = ""] = await stage.publish({}, { action: "allow" }, { test: true }, {});
    const wanted = [first, second].map((id) => deliveryId("0", "orders", id));
    await eventually(() => webhookIds(stage).length === 3);
    expect(await json(stage, "replay", "orders", "--since", "1h")).toMatchObject({ exitCode: 0, stderr: "" });
    await eventually(() => webhookIds(stage).filter((id) => wanted.includes(id)).length === 4);
    await eventually(async () => expect(await listed(stage)).not.toHaveProperty("replay"));
    const [once, again] = [wanted[0], wanted[0]].map((id, at) => {
      const bodies = stage.receiver.received("/orders").filter(({ headers }) => headers["webhook-id"] === id);
      return bodies[at]?.body;
    });
    expect(again).toBe(once);
    expect(webhookIds(stage).filter((id) => id === deliveryId("0", "orders", before))).toHaveLength(1);
  });

  test("brings dead letters of that time back, and what an endpoint holds only once", async () => {
    const stage = await openOrders();
    stage.receiver.behave("/orders", saying(410));
    await stage.run();
    await stage.publish({});
    await eventually(async () => expect(await listed(stage)).toMatchObject({ state: "paused", held: 1 }));
    await stage.redis.xadd(
      stage.keys.deadLetters("delivery"),
      "*",
      "endpoint",
      "orders",
      "delivery",
      "wh_dead",
      "body",
      "{}",
    );
    expect(await json(stage, "replay", "orders", "--since", "1h")).toMatchObject({ answer: { dead_letters: 1 } });
    await eventually(async () => expect(await listed(stage)).not.toHaveProperty("replay"));
    expect(await listed(stage)).toMatchObject({ held: 2, dead: 0 });
  });

  test("goes on where a killed worker left it", async () => {
    const stage = await openOrders();
    const ids = await stage.publish(...Array.from({ length: 400 }, () => ({})));
    const victim = await stage.start();
    await run(stage, "replay", "orders", "--since", "1h");
    await eventually(() => webhookIds(stage).length > 20, { timeoutMs: 20_000 });
    await victim.kill("SIGKILL");
    await stage.start();
    const wanted = new Set(ids.map((id) => deliveryId("0", "orders", id)));
    await eventually(() => new Set(webhookIds(stage)).size === wanted.size, { timeoutMs: 40_000 });
    expect(new Set(webhookIds(stage))).toEqual(wanted);
  }, 90_000);

  test("says what it would do, and does nothing", async () => {
    const stage = await openOrders();
    await stage.run();
    const { stdout } = await run(stage, "replay", "orders", "--since", "2d", "--dry-run");
    expect(stdout).toMatch(/^Would send again what orders wants of the verdicts since 20.*Nothing was done\.\n$/);
    expect(await stage.redis.exists(stage.keys.replays())).toBe(0);
  });

  test("is refused for what has left the stream while there is no archive, and says from when it can", async () => {
    const stage = await openOrders();
    await publishedAt(stage, Date.now() - 2 * HOUR_MS);
    await stage.run();
    await stage.publish({});
    await stage.redis.xtrim(stage.keys.verdicts(), "MAXLEN", 1);
    const { exitCode, stderr } = await run(stage, "replay", "orders", "--since", "3h");
    expect(exitCode).toBe(3);
    const [, since = ""] = /Give --since (\S+) to replay what is left/.exec(stderr) ?? [];
    expect(Date.parse(since)).toBeGreaterThan(Date.now() - HOUR_MS);
    expect(await stage.redis.exists(stage.keys.replays())).toBe(0);
  });

  test("is one at a time, and can be ended", async () => {
    const stage = await openOrders();
    await stage.run();
    await stage.redis.hset(stage.keys.replays(), "orders", "1-0 0-0 7");
    await stage.redis.set(stage.keys.replayLease("orders"), "another");
    expect(await run(stage, "replay", "orders", "--since", "1h")).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining("already"),
    });
    expect(await json(stage, "replay", "orders", "--cancel")).toMatchObject({ answer: { cancelled: true } });
    expect(await json(stage, "replay", "orders", "--cancel")).toMatchObject({ answer: { cancelled: false } });
  });

  test.each([
    [["replay", "orders", "--since", "soon"], 2, "--since soon is neither how long ago"],
    [["replay", "orders"], 2, "is neither how long ago"],
    [["replay", "orders", "--since", "1h", "--until", "2h"], 2, "--since must be before --until"],
    [["replay", "nobody", "--since", "1h"], 3, "has no endpoint nobody. There are: orders."],
    [["pause", "orders", "--tenant", "other"], 3, "The tenant other has no endpoint orders."],
  ])("says what is wrong with %j", async (args, exitCode, says) => {
    const stage = await openOrders();
    await stage.run();
    await eventually(async () => (await stage.redis.exists(stage.keys.endpoints())) === 1);
    expect(await run(stage, ...args)).toMatchObject({ exitCode, stderr: expect.stringContaining(says) });
  });
});

test("assay endpoints says where Redis is to be set, and when it is not there", async () => {
  expect(await assay(["endpoints", "list"])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("REDIS_URL"),
  });
  const env = { REDIS_URL: "redis://127.0.0.1:1" };
  expect(await assay(["endpoints", "list"], { env })).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining("could not be reached"),
  });
});
