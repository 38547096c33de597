import { noticeSightings, readSightings } from "@assay/ledger";
import { describe, expect, test } from "vitest";
import { type Ledger, openLedger, timeOf } from "./open-ledger.ts";

const origin = (name: string, count = 1) => ({ kind: "origin", name, count }) as const;

async function namesOf({ redis, keys }: Ledger, now?: number): Promise<string[]> {
  const { seen } = await readSightings(redis, keys, now ?? (await timeOf(redis)));
  return seen.origin.map(({ name, count }) => `${name} ${count}`);
}

describe("noticeSightings", () => {
  test("adds to what was seen before, and says when it was seen last", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const before = Math.floor(await timeOf(redis));
    await noticeSightings(redis, keys, { seen: [origin("https://a.example", 2)], counts: [] });
    const seen = [origin("https://a.example", 3), { kind: "seal", name: "ok/0badc0de", count: 1 } as const];
    await noticeSightings(redis, keys, { seen, counts: [] });
    const sightings = await readSightings(redis, keys, await timeOf(redis));
    expect(sightings.seen).toMatchObject({
      origin: [{ name: "https://a.example", count: 5 }],
      seal: [{ name: "ok/0badc0de", count: 1 }],
      app: [],
    });
    expect(sightings.seen.origin[0]?.lastAt).toBeGreaterThanOrEqual(before);
  });

  test("keeps two hundred origins, and those that were seen most", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    await noticeSightings(redis, keys, { seen: [origin("https://shop.example", 9)], counts: [] });
    for (let batch = 0; batch < 3; batch++) {
      const invented = Array.from({ length: 150 }, (_, n) => origin(`https://x${batch}-${n}.example`));
      await noticeSightings(redis, keys, { seen: invented, counts: [] });
    }
    const names = await namesOf(ledger);
    expect(names).toHaveLength(200);
    expect(names[0]).toBe("https://shop.example 9");
    // Of those that were seen as often, the latest.
    expect(names.filter((name) => name.includes("/x2-"))).toHaveLength(150);
    expect(await redis.hlen(keys.sightings())).toBe(200);
  });

  test("crowds out nothing of another kind", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const invented = Array.from({ length: 250 }, (_, n) => origin(`https://x${n}.example`));
    await noticeSightings(redis, keys, { seen: [{ kind: "app", name: "com.shop", count: 1 }], counts: [] });
    await noticeSightings(redis, keys, { seen: invented, counts: [] });
    expect((await readSightings(redis, keys, await timeOf(redis))).seen.app).toMatchObject([{ name: "com.shop" }]);
  });

  test("cuts a name that is too long", async () => {
    const ledger = await openLedger();
    await noticeSightings(ledger.redis, ledger.keys, { seen: [origin("x".repeat(300))], counts: [] });
    expect(await namesOf(ledger)).toEqual([`${"x".repeat(200)} 1`]);
  });

  test("lasts for thirty days after the last that was noticed", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    await noticeSightings(redis, keys, { seen: [origin("https://a.example")], counts: [] });
    const ttlMs = await redis.pttl(keys.sightings());
    expect(ttlMs).toBeGreaterThan(30 * 86_400_000 - 60_000);
    const month = 30 * 86_400_000;
    expect(await namesOf(ledger, (await timeOf(redis)) + month - 60_000)).toHaveLength(1);
    expect(await namesOf(ledger, (await timeOf(redis)) + month + 60_000)).toHaveLength(0);
  });

  test("forgets what is older than its time as soon as something new comes", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const now = Math.floor(await timeOf(redis));
    const old = { "origin:https://old.example": `${now - 31 * 86_400_000}|1`, "minute:1/verdicts": "60000|1" };
    await redis.hset(keys.sightings(), old);
    await noticeSightings(redis, keys, { seen: [origin("https://a.example")], counts: [] });
    expect(await redis.hkeys(keys.sightings())).toEqual(["origin:https://a.example"]);
  });

  test("counts by the minute of Redis's clock, and keeps the youngest age", async () => {
    const { redis, keys } = await openLedger();
    const counts = [{ name: "verdicts", count: 3 } as const];
    await noticeSightings(redis, keys, { seen: [], counts, youngestMs: 800 });
    await noticeSightings(redis, keys, { seen: [], counts, youngestMs: -200.4 });
    await noticeSightings(redis, keys, { seen: [], counts, youngestMs: 900 });
    const now = await timeOf(redis);
    const { minutes } = await readSightings(redis, keys, now);
    // The minute may have ended in between.
    expect(minutes.reduce((sum, minute) => sum + (minute.counts.verdicts ?? 0), 0)).toBe(9);
    expect(Math.min(...minutes.map(({ youngestMs = 0 }) => youngestMs))).toBe(-200);
    expect(minutes.every(({ at }) => at % 60_000 === 0 && now - at < 120_000)).toBe(true);
    expect((await readSightings(redis, keys, now + 3_700_000)).minutes).toEqual([]);
  });

  test("writes nothing where nothing was noticed", async () => {
    const { redis, keys } = await openLedger();
    await noticeSightings(redis, keys, { seen: [], counts: [] });
    expect(await redis.exists(keys.sightings())).toBe(0);
  });
});
