import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeTombstones } from "@assay/ledger";
import { createKeys, deliveryId, envelopeOf } from "@assay/protocol";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { openWorkerStack } from "../../support/worker-stack.ts";
import { anEvent } from "../../support/events.ts";
import { type ReceivedWebhook, saying } from "../../support/webhook-receiver.ts";
import { anEntry, aSecret, aVerdict, openDeliverStage } from "./stage.ts";

const idsOf = (received: readonly ReceivedWebhook[]) =>
  received.map(({ body }) => {
    const { id }: { id: string } = JSON.parse(body);
    return id;
  });

function headersOf({ headers }: ReceivedWebhook): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

describe("a delivering worker", () => {
  test("sends the envelope, signed so that the library verifies it by each of several secrets", async () => {
    const stage = await openDeliverStage();
    const secrets = [aSecret(), aSecret(), aSecret()];
    await stage.endpoints([anEntry(stage.receiver, "orders", { secrets, headers: { "x-team": "fraud" } })]);
    await stage.run();
    const [id = ""] = await stage.publish({});
    const [webhook] = await eventually(
      () => stage.receiver.received("/orders").length > 0 && stage.receiver.received("/orders"),
    );
    if (webhook === undefined) throw new Error("Nothing came.");
    for (const secret of secrets) {
      expect(new Webhook(secret).verify(webhook.body, headersOf(webhook))).toMatchObject({
        type: "verdict.decided",
        id,
      });
    }
    expect(() => new Webhook(aSecret()).verify(webhook.body, headersOf(webhook))).toThrow("No matching signature");
    expect(webhook.headers).toMatchObject({
      "webhook-id": deliveryId("0", "orders", id),
      "content-type": "application/json",
      "x-team": "fraud",
    });
  });

  test("sends to each endpoint what it wants, as much as it wants", async () => {
    const stage = await openDeliverStage();
    await stage.endpoints([
      anEntry(stage.receiver, "all", { fields: "full" }),
      anEntry(stage.receiver, "blocked", { filter: `action == "block"`, fields: "minimal" }),
      anEntry(stage.receiver, "tardy", { late: true, backfilled: true }),
    ]);
    await stage.run();
    const [blocked = "", allowed = "", , late = "", backfilled = ""] = await stage.publish(
      {},
      { action: "allow" },
      { test: true },
      { late: true },
      { kind: "backfill" },
    );
    await eventually(() => stage.receiver.received("/tardy").length === 4);
    await eventually(() => stage.receiver.received("/all").length === 2);
    expect(new Set(idsOf(stage.receiver.received("/all")))).toEqual(new Set([blocked, allowed]));
    expect(idsOf(stage.receiver.received("/blocked"))).toEqual([blocked]);
    expect(new Set(idsOf(stage.receiver.received("/tardy")))).toEqual(new Set([blocked, allowed, late, backfilled]));
    expect(stage.receiver.received("/all")[0]?.body).toContain("visitor1");
    expect(stage.receiver.received("/blocked")[0]?.body).not.toContain("bad_bot");
    expect(stage.receiver.received("/tardy")[0]?.body).not.toMatch(/visitor1|anna|evidence/);
  });

  test("sends nothing of what was erased before it was planned", async () => {
    const stage = await openDeliverStage();
    await stage.endpoints([anEntry(stage.receiver, "orders")]);
    await stage.run();
    const erased = aVerdict();
    await writeTombstones(stage.redis, stage.keys, [erased.id], { ttlMs: 60_000 });
    const [, next = ""] = await stage.publish(erased, {});
    await eventually(() => stage.receiver.received("/orders").length > 0);
    expect(idsOf(stage.receiver.received("/orders"))).toEqual([next]);
    await eventually(async () => (await stage.redis.xpending(stage.keys.verdicts(), "assay-deliver"))[0] === 0);
    expect(idsOf(stage.receiver.received("/orders"))).toEqual([next]);
  });

  test("sends what the same process decided", async () => {
    const stage = await openDeliverStage();
    await stage.endpoints([anEntry(stage.receiver, "orders")]);
    const stack = await openWorkerStack({
      prefix: stage.prefix,
      env: { ASSAY_ENDPOINTS_FILE: stage.env["ASSAY_ENDPOINTS_FILE"] ?? "" },
    });
    try {
      await stack.runWorker();
      await eventually(async () => Array.isArray(await stage.redis.xinfo("GROUPS", stage.keys.verdicts())));
      const id = await stack.submitSealed(anEvent());
      await eventually(() => stage.receiver.received("/orders").length > 0);
      expect(idsOf(stage.receiver.received("/orders"))).toEqual([id]);
    } finally {
      await stack.stop();
    }
  });

  test("sends a tenant's verdicts to that tenant's endpoints alone", async () => {
    const stage = await openDeliverStage();
    const tenants = join(dirname(stage.env["ASSAY_ENDPOINTS_FILE"] ?? ""), "tenants.json");
    await writeFile(tenants, JSON.stringify({ tenants: { "0": {}, other: {} } }));
    await stage.endpoints([
      anEntry(stage.receiver, "mine"),
      anEntry(stage.receiver, "theirs", { tenant: "other", fields: "full" }),
    ]);
    await stage.run({ env: { ASSAY_TENANTS_FILE: tenants } });
    const others = createKeys({ prefix: stage.prefix, tenant: "other" }).verdicts();
    await eventually(async () => Array.isArray(await stage.redis.xinfo("GROUPS", others)));
    const theirs = aVerdict();
    await stage.redis.xadd(others, "*", "e", JSON.stringify(envelopeOf(theirs)));
    const [mine] = await stage.publish({});
    await eventually(
      () => stage.receiver.received("/mine").length > 0 && stage.receiver.received("/theirs").length > 0,
    );
    expect(idsOf(stage.receiver.received("/mine"))).toEqual([mine]);
    expect(idsOf(stage.receiver.received("/theirs"))).toEqual([theirs.id]);
    expect(await stage.redis.exists(stage.keys.undelivered("theirs"))).toBe(0);
    const otherKeys = createKeys({ prefix: stage.prefix, tenant: "other" });
    expect(await stage.redis.exists(otherKeys.undelivered("mine"))).toBe(0);
    expect(stage.receiver.received("/theirs")[0]?.headers["webhook-id"]).toBe(deliveryId("other", "theirs", theirs.id));
  });

  test("takes a changed file without a restart, and keeps the old one when the new one is not usable", async () => {
    const stage = await openDeliverStage();
    await stage.endpoints([anEntry(stage.receiver, "first")]);
    await stage.run();
    await stage.endpoints([{ name: "second", url: "nowhere", secrets: ["whsec_tooshort"] }]);
    await eventually(() => stage.log.some((line) => line.includes("is not usable")));
    expect(stage.log.join("\n")).not.toContain("tooshort");
    await stage.publish({});
    await eventually(() => stage.receiver.received("/first").length === 1);
    await stage.endpoints([anEntry(stage.receiver, "second")]);
    await eventually(() => stage.log.some((line) => line.includes("took the changed file")));
    await stage.publish({});
    await eventually(() => stage.receiver.received("/second").length === 1);
    expect(stage.receiver.received("/first")).toHaveLength(1);
  });

  test("tries again with the same id and body, and a signature of its own", async () => {
    const stage = await openDeliverStage();
    stage.receiver.behave("/orders", saying(500));
    const [secret, header] = [aSecret(), aSecret()];
    await stage.endpoints([
      anEntry(stage.receiver, "orders", { secrets: [secret], headers: { "x-key": header }, fields: "full" }),
    ]);
    await stage.run();
    const [id = ""] = await stage.publish({});
    await eventually(() => stage.receiver.received("/orders").length === 1);
    stage.receiver.behave("/orders", saying(200));
    await eventually(() => stage.receiver.received("/orders").length === 2, { timeoutMs: 15_000 });
    const [first, second] = stage.receiver.received("/orders");
    expect(second?.body).toBe(first?.body);
    expect(second?.headers["webhook-id"]).toBe(deliveryId("0", "orders", id));
    expect(second?.headers["webhook-signature"]).not.toBe(first?.headers["webhook-signature"]);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(4000);
    await eventually(() => stage.log.some((line) => line.includes("webhook delivered")));
    for (const hidden of [secret, header, stage.receiver.url(""), "visitor1", "anna"]) {
      expect(stage.log.join("\n")).not.toContain(hidden);
    }
  });
});
