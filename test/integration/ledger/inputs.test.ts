import { randomUUID } from "node:crypto";
import { type Inputs, pinInputs, type PinRequest, type Use } from "@assay/ledger";
import { describe, expect, test } from "vitest";
import { accepted, anId, aUse, HOUR_MS } from "./builders.ts";
import { type Ledger, openConnection, openLedger } from "./open-ledger.ts";

/** Submissions that use one event, one after the other. */
async function anEvent() {
  const ledger = await openLedger();
  const eventId = randomUUID();
  return {
    ledger,
    eventId,
    use: async ({ id: known, ...over }: Partial<Use> & { id?: string } = {}) => {
      const id = known ?? (await accepted(ledger));
      const { claim, pinned } = await pin(ledger, aUse({ eventId, ...over, id }));
      return { id, ...claim, pinned };
    },
  };
}

async function pin({ redis, keys }: Ledger, request: PinRequest): Promise<Inputs> {
  const [inputs] = await pinInputs(redis, keys, [request]);
  if (inputs === undefined) throw new Error("the pin script did not answer");
  return inputs;
}

const FRESH = { reused: false, reusedElsewhere: false, useCount: 1 };

describe("pinInputs", () => {
  test("does not call the first user of an event a replay", async () => {
    const { use } = await anEvent();
    expect(await use()).toMatchObject(FRESH);
  });

  test("calls every other submission of the same event and flow reused, and counts it", async () => {
    const { use } = await anEvent();
    await use();
    expect(await use()).toMatchObject({ reused: true, reusedElsewhere: false, useCount: 2 });
    expect(await use()).toMatchObject({ reused: true, reusedElsewhere: false, useCount: 3 });
  });

  test("does not turn the owner into the replay when a thief was first, from elsewhere", async () => {
    const { use } = await anEvent();
    const theft = { bound: false, ipHash: "ip-thief" };
    const thief = await use(theft);
    expect(thief).toMatchObject({ reused: false, useCount: 1 });
    expect(await use()).toMatchObject({ reused: false, reusedElsewhere: false, useCount: 2 });
    // The thief's own retry hears what it heard; a new submission of the thief is the replay.
    expect(await use({ ...theft, id: thief.id })).toEqual(thief);
    expect(await use(theft)).toMatchObject({ reused: true, reusedElsewhere: true, useCount: 3 });
  });

  test("calls the second thief reused while the owner has not come", async () => {
    const { use } = await anEvent();
    await use({ bound: false, ipHash: "ip-thief" });
    expect(await use({ bound: false, ipHash: "ip-other-thief" })).toMatchObject({
      reused: true,
      reusedElsewhere: true,
    });
    expect(await use()).toMatchObject({ reused: false });
  });

  test("calls a thief who comes after the owner reused elsewhere", async () => {
    const { use } = await anEvent();
    await use();
    expect(await use({ bound: false, userAgentHash: "agent-thief" })).toMatchObject({
      reused: true,
      reusedElsewhere: true,
    });
  });

  test.each([
    { part: "another ip", over: { ipHash: "ip2" }, elsewhere: true },
    { part: "another user agent", over: { userAgentHash: "agent2" }, elsewhere: true },
    { part: "another user id", over: { userIdHash: "user2" }, elsewhere: true },
    { part: "nothing else", over: {}, elsewhere: false },
    { part: "no ip", over: { ipHash: "" }, elsewhere: false },
    { part: "nothing at all", over: { ipHash: "", userAgentHash: "", userIdHash: "" }, elsewhere: false },
  ])("judges whether a replay came from elsewhere: with $part", async ({ over, elsewhere }) => {
    const { use } = await anEvent();
    await use();
    expect(await use(over)).toMatchObject({ reused: true, reusedElsewhere: elsewhere });
  });

  test("does not compare a part that the holder did not say", async () => {
    const { use } = await anEvent();
    await use({ ipHash: "", userAgentHash: "", userIdHash: "" });
    expect(await use()).toMatchObject({ reused: true, reusedElsewhere: false });
  });

  test("keeps flows apart", async () => {
    const { use } = await anEvent();
    await use({ flow: "login" });
    expect(await use({ flow: "checkout" })).toMatchObject(FRESH);
    expect(await use({ flow: "-" })).toMatchObject(FRESH);
    expect(await use({ flow: "login" })).toMatchObject({ reused: true });
  });

  test("knows one use in all under the flow *", async () => {
    const { use } = await anEvent();
    await use({ flow: "*" });
    expect(await use({ flow: "*" })).toMatchObject({ reused: true, useCount: 2 });
  });

  test("keeps events apart", async () => {
    const { use, ledger } = await anEvent();
    await use();
    expect(await pin(ledger, aUse({ id: await accepted(ledger), eventId: randomUUID() }))).toMatchObject({
      claim: FRESH,
    });
  });

  test("counts 50 retries of one submission at once as one use", async () => {
    const { ledger, eventId, use } = await anEvent();
    const connections = await Promise.all([1, 2, 3, 4, 5].map(() => openConnection()));
    const id = await accepted(ledger);
    const retries = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        pin({ ...ledger, redis: connections[n % 5] ?? ledger.redis }, aUse({ id, eventId })),
      ),
    );
    expect(new Set(retries.map(({ pinned }) => pinned)).size).toBe(1);
    expect(retries[0]).toMatchObject({ claim: FRESH });
    expect(await use()).toMatchObject({ useCount: 2 });
  });

  test("gives one of 20 submissions at once the event", async () => {
    const { use } = await anEvent();
    const all = await Promise.all(Array.from({ length: 20 }, () => use()));
    expect(all.filter(({ reused }) => !reused)).toHaveLength(1);
    expect(all.map(({ useCount = 0 }) => useCount).toSorted((a, b) => a - b)).toEqual(all.map((_, n) => n + 1));
  });

  test("answers what it pinned after the claim was lost", async () => {
    const { ledger, eventId, use } = await anEvent();
    await use();
    const replay = await use();
    await ledger.redis.del(ledger.keys.claim(eventId, "login"));
    expect(await use({ id: replay.id })).toEqual(replay);
  });

  test("answers what it pinned when the retry judges its own context otherwise", async () => {
    const { use } = await anEvent();
    const first = await use();
    expect(await use({ id: first.id, bound: false, ipHash: "ip2" })).toEqual(first);
  });

  test("pins several uses in one call, in their order", async () => {
    const { ledger, eventId } = await anEvent();
    const { redis, keys } = ledger;
    const [one, two] = [await accepted(ledger), await accepted(ledger)];
    const inputs = await pinInputs(redis, keys, [aUse({ id: one, eventId }), aUse({ id: two, eventId })]);
    expect(inputs.map(({ claim }) => claim?.reused)).toEqual([false, true]);
    expect(await redis.hget(keys.record(two), "i")).toBe(inputs[1]?.pinned);
  });

  test("keeps a claim for its time", async () => {
    const { ledger, eventId, use } = await anEvent();
    await use({ ttlMs: 2 * HOUR_MS });
    const ttlMs = await ledger.redis.pttl(ledger.keys.claim(eventId, "login"));
    expect(ttlMs).toBeGreaterThan(HOUR_MS);
    expect(ttlMs).toBeLessThanOrEqual(2 * HOUR_MS);
  });

  test("does not shorten a claim that is kept for longer", async () => {
    const { ledger, eventId, use } = await anEvent();
    await use({ ttlMs: 24 * HOUR_MS });
    await use({ ttlMs: HOUR_MS });
    expect(await ledger.redis.pttl(ledger.keys.claim(eventId, "login"))).toBeGreaterThan(23 * HOUR_MS);
  });

  test("makes no record of a submission that has none", async () => {
    const { ledger, use } = await anEvent();
    const { id } = await use({ id: anId() });
    expect(await ledger.redis.exists(ledger.keys.record(id))).toBe(0);
  });
});
