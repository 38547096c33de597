import { randomUUID } from "node:crypto";
import { holdBucket, type KeyStanding, leaveLine, takeTurn, type Turn, type TurnRequest } from "@assay/ledger";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { anId, HOUR_MS } from "./builders.ts";
import { type Ledger, openConnection, openLedger, timeOf } from "./open-ledger.ts";

const KEY1 = { keyId: "key1", restsForMs: 0 } satisfies KeyStanding;

function aRequest(changes: Partial<TurnRequest> = {}): TurnRequest {
  return {
    id: anId(),
    isAwaited: false,
    network: "n1",
    withinMs: HOUR_MS,
    apiKeys: [KEY1],
    rate: { rps: 1, burst: 1 },
    ...changes,
  };
}

async function turnOf({ redis, keys }: Ledger, changes: Partial<TurnRequest> = {}): Promise<Turn> {
  return takeTurn(redis, keys, aRequest(changes));
}

function waitOf(turn: Turn): number {
  return turn.status === "wait" ? turn.forMs : 0;
}

/** Takes the one lookup that a fresh bucket of `rate.burst` 1 has. */
async function emptied(changes: Partial<TurnRequest> = {}): Promise<Ledger> {
  const ledger = await openLedger();
  expect(await turnOf(ledger, changes)).toEqual({ status: "turn", keyId: "key1" });
  return ledger;
}

/** In which order these are served once there are lookups for all. */
async function served(ledger: Ledger, requests: readonly TurnRequest[]): Promise<string[]> {
  const order: string[] = [];
  // One lookup at a time: the bucket is set to hold just one.
  while (order.length < requests.length) {
    await ledger.redis.hset(
      ledger.keys.lookupBucket("key1"),
      "tokens",
      1,
      "at",
      Math.floor(await timeOf(ledger.redis)),
    );
    for (const request of requests.filter(({ id }) => !order.includes(id))) {
      const turn = await takeTurn(ledger.redis, ledger.keys, request);
      if (turn.status === "turn") order.push(request.id);
    }
  }
  return order;
}

describe("takeTurn", () => {
  test("lets a burst pass, then says when the next turn is", async () => {
    const ledger = await openLedger();
    const turns: Turn[] = [];
    for (let n = 0; n < 5; n++) turns.push(await turnOf(ledger, { rate: { rps: 1, burst: 3 } }));
    expect(turns.map(({ status }) => status)).toEqual(["turn", "turn", "turn", "wait", "wait"]);
    const waits = turns.flatMap((turn) => (turn.status === "wait" ? [turn.forMs] : []));
    expect(waits[0]).toBeGreaterThan(0);
    expect(waits[0]).toBeLessThanOrEqual(1000);
    expect((waits[1] ?? 0) - (waits[0] ?? 0)).toBeGreaterThan(900);
  });

  test("gives the turn when it was said to be, by Redis's clock", async () => {
    const ledger = await emptied({ rate: { rps: 20, burst: 1 } });
    const request = aRequest({ rate: { rps: 20, burst: 1 } });
    const wait = await takeTurn(ledger.redis, ledger.keys, request);
    const askedAt = await timeOf(ledger.redis);
    await eventually(async () => (await takeTurn(ledger.redis, ledger.keys, request)).status === "turn");
    expect(wait.status).toBe("wait");
    expect((await timeOf(ledger.redis)) - askedAt).toBeGreaterThanOrEqual(waitOf(wait) - 10);
  });

  test("refuses at once a turn that would come too late, and keeps no place for it", async () => {
    const ledger = await emptied();
    expect(await turnOf(ledger, { withinMs: 1500 })).toMatchObject({ status: "wait" });
    expect(await turnOf(ledger, { withinMs: 1500 })).toEqual({ status: "too_late" });
    expect(await ledger.redis.zcard(ledger.keys.otherLookups())).toBe(1);
  });

  test("keeps a place only as long as it is of use", async () => {
    const ledger = await emptied();
    const gone = aRequest({ withinMs: 1000 });
    expect(await takeTurn(ledger.redis, ledger.keys, gone)).toMatchObject({ status: "wait" });
    await ledger.redis.zadd(ledger.keys.lookupLineUntil(), 1, gone.id);
    await turnOf(ledger);
    expect(await ledger.redis.zscore(ledger.keys.otherLookups(), gone.id)).toBeNull();
  });

  test("serves those that somebody waits for before those that nobody does", async () => {
    const ledger = await emptied();
    const others = Array.from({ length: 5 }, () => aRequest());
    const awaited = Array.from({ length: 3 }, () => aRequest({ isAwaited: true }));
    for (const request of [...others, ...awaited]) await takeTurn(ledger.redis, ledger.keys, request);
    const order = await served(ledger, [...others, ...awaited]);
    expect(order.slice(0, 3).toSorted()).toEqual(awaited.map(({ id }) => id).toSorted());
  });

  test("serves one that nobody waits for after sixty-four of the others", async () => {
    const ledger = await emptied();
    const patient = aRequest();
    // From as many networks, so that none of them has had its turn.
    const awaited = Array.from({ length: 80 }, (_, n) => aRequest({ isAwaited: true, network: `n${n}` }));
    for (const request of [...awaited.slice(0, 10), patient, ...awaited.slice(10)])
      await takeTurn(ledger.redis, ledger.keys, request);
    const order = await served(ledger, [patient, ...awaited]);
    expect(order.indexOf(patient.id)).toBe(64);
  });

  test("keeps no lookup from those that somebody waits for, for one that sleeps", async () => {
    const ledger = await emptied();
    await turnOf(ledger);
    await ledger.redis.hset(ledger.keys.lookupTurns(), "since", 1000);
    await ledger.redis.hset(
      ledger.keys.lookupBucket("key1"),
      "tokens",
      1,
      "at",
      Math.floor(await timeOf(ledger.redis)),
    );
    expect(await turnOf(ledger, { isAwaited: true })).toMatchObject({ status: "turn" });
  });

  test("serves those of equal turns as they came", async () => {
    const ledger = await emptied();
    const requests = Array.from({ length: 20 }, (_, n) => aRequest({ network: `n${n}` }));
    for (const request of requests) await takeTurn(ledger.redis, ledger.keys, request);
    expect(await served(ledger, requests)).toEqual(requests.map(({ id }) => id));
  });

  test("lets one that was overtaken sleep as long again as it has waited", async () => {
    const ledger = await emptied();
    const patient = aRequest();
    expect(waitOf(await takeTurn(ledger.redis, ledger.keys, patient))).toBeLessThanOrEqual(1000);
    await turnOf(ledger, { isAwaited: true });
    const again = await takeTurn(ledger.redis, ledger.keys, { ...patient, waitedMs: 30_000 });
    expect(waitOf(again)).toBe(30_000);
  });

  test("holds nobody up because one network wants a thousand", async () => {
    const ledger = await emptied({ network: "owner" });
    const forged = Array.from({ length: 1000 }, () => aRequest({ network: "forger" }));
    for (const request of forged) await takeTurn(ledger.redis, ledger.keys, request);
    await ledger.redis.hset(
      ledger.keys.lookupBucket("key1"),
      "tokens",
      0,
      "at",
      Math.floor(await timeOf(ledger.redis)),
    );
    const customers = Array.from({ length: 5 }, (_, n) => aRequest({ network: `customer${n}` }));
    const waits = await Promise.all(customers.map((request) => takeTurn(ledger.redis, ledger.keys, request)));
    for (const wait of waits) expect(wait).toMatchObject({ status: "wait" });
    // Five customers, and what the forger had before them.
    expect(Math.max(...waits.map(waitOf))).toBeLessThan(10_000);
  });

  test("counts what it refused against no network", async () => {
    const ledger = await emptied();
    await turnOf(ledger, { network: "busy" });
    for (let n = 0; n < 50; n++) await turnOf(ledger, { network: "office", withinMs: 500 });
    for (let n = 0; n < 50; n++) await turnOf(ledger, { network: `n${n}`, withinMs: 500 });
    const late = aRequest({ network: "office" });
    await takeTurn(ledger.redis, ledger.keys, late);
    const score = await ledger.redis.zscore(ledger.keys.otherLookups(), late.id);
    expect(Math.floor(Number(score))).toBe(1);
    expect(await ledger.redis.hlen(ledger.keys.lookupTurns())).toBeLessThan(6);
  });

  test("lets whoever is further back take a lookup when those before it find theirs", async () => {
    const ledger = await emptied({ rate: { rps: 1, burst: 2 } });
    await turnOf(ledger, { rate: { rps: 1, burst: 2 } });
    const [first, second] = [aRequest({ rate: { rps: 1, burst: 2 } }), aRequest({ rate: { rps: 1, burst: 2 } })];
    for (const request of [first, second]) await takeTurn(ledger.redis, ledger.keys, request);
    await ledger.redis.hset(
      ledger.keys.lookupBucket("key1"),
      "tokens",
      1,
      "at",
      Math.floor(await timeOf(ledger.redis)),
    );
    expect(await takeTurn(ledger.redis, ledger.keys, second)).toMatchObject({ status: "wait" });
    await ledger.redis.hset(
      ledger.keys.lookupBucket("key1"),
      "tokens",
      2,
      "at",
      Math.floor(await timeOf(ledger.redis)),
    );
    expect(await takeTurn(ledger.redis, ledger.keys, second)).toMatchObject({ status: "turn" });
    expect(await takeTurn(ledger.redis, ledger.keys, first)).toMatchObject({ status: "turn" });
  });

  test("never lets more pass than the burst and what time has brought, whoever asks", async () => {
    const { redis, keys } = await openLedger();
    const connections = await Promise.all([1, 2, 3].map(() => openConnection()));
    const rates = fc.record({ rps: fc.integer({ min: 1, max: 500 }), burst: fc.integer({ min: 1, max: 20 }) });
    const takes = fc.integer({ min: 1, max: 100 });
    await fc.assert(
      fc.asyncProperty(rates, takes, async (rate, count) => {
        const apiKeys = [{ keyId: randomUUID(), restsForMs: 0 }];
        await redis.del(keys.otherLookups(), keys.lookupLineUntil(), keys.lookupTurns());
        const before = await timeOf(redis);
        const turns = await Promise.all(
          Array.from({ length: count }, (_, n) =>
            takeTurn(connections[n % 3] ?? redis, keys, aRequest({ apiKeys, rate, network: `n${n}` })),
          ),
        );
        const elapsedMs = (await timeOf(redis)) - before;
        const passed = turns.filter(({ status }) => status === "turn").length;
        expect(passed).toBeLessThanOrEqual(rate.burst + (rate.rps * (elapsedMs + 1)) / 1000);
        expect(passed).toBeGreaterThanOrEqual(Math.min(count, rate.burst));
      }),
      { numRuns: 30 },
    );
  });

  test("takes from every key, and says which", async () => {
    const ledger = await openLedger();
    const apiKeys = [KEY1, { keyId: "key2", restsForMs: 0 }];
    const turns = [await turnOf(ledger, { apiKeys }), await turnOf(ledger, { apiKeys })];
    const used = turns.map((turn) => (turn.status === "turn" ? turn.keyId : "none"));
    expect(used.toSorted()).toEqual(["key1", "key2"]);
    expect(await turnOf(ledger, { apiKeys })).toMatchObject({ status: "wait" });
  });

  test("leaves a key alone before its time, and counts the wait from then", async () => {
    const ledger = await openLedger();
    const apiKeys = [{ keyId: "key1", restsForMs: 5000 }];
    expect(await turnOf(ledger, { apiKeys })).toEqual({ status: "wait", forMs: 5000 });
    expect(await turnOf(ledger, { apiKeys })).toEqual({ status: "wait", forMs: 6000 });
  });

  test.each([
    ["of two hours", 2 * HOUR_MS],
    ["of two minutes", 120_000],
  ])("does not make anybody wait long for a clock that was set back by a jump %s", async (_, jumpMs) => {
    const ledger = await emptied({ rate: { rps: 10, burst: 2 } });
    const future = Math.floor(await timeOf(ledger.redis)) + jumpMs;
    await ledger.redis.hset(ledger.keys.lookupBucket("key1"), "at", future, "tokens", 0, "hold", future);
    const wait = await turnOf(ledger, { rate: { rps: 10, burst: 2 } });
    expect(waitOf(wait)).toBeLessThanOrEqual(100);
  });

  test("obeys a burst that was made smaller at once", async () => {
    const ledger = await openLedger();
    expect(await turnOf(ledger, { rate: { rps: 1, burst: 100 } })).toMatchObject({ status: "turn" });
    expect(await turnOf(ledger, { rate: { rps: 1, burst: 1 } })).toMatchObject({ status: "turn" });
    expect(await turnOf(ledger, { rate: { rps: 1, burst: 1 } })).toMatchObject({ status: "wait" });
  });

  test("forgets a bucket that nobody uses, once it is full again, and turns of an empty line at once", async () => {
    const ledger = await emptied({ rate: { rps: 5, burst: 15 } });
    const ttlMs = await ledger.redis.pttl(ledger.keys.lookupBucket("key1"));
    expect(ttlMs).toBeGreaterThan(3_000);
    expect(ttlMs).toBeLessThanOrEqual(63_000);
    expect(await ledger.redis.exists(ledger.keys.lookupTurns(), ledger.keys.otherLookups())).toBe(0);
  });

  test("keeps no network that has nobody in a line that never ends", async () => {
    const rate = { rps: 100_000, burst: 100_000 };
    const ledger = await openLedger();
    await ledger.redis.zadd(ledger.keys.otherLookups(), 1e9, "s_stays");
    await ledger.redis.zadd(ledger.keys.lookupLineUntil(), Date.now() + HOUR_MS, "s_stays");
    await Promise.all(Array.from({ length: 2500 }, (_, n) => turnOf(ledger, { network: `n${n}`, rate })));
    expect(await ledger.redis.hlen(ledger.keys.lookupTurns())).toBeLessThan(1100);
  });
});

describe("leaveLine", () => {
  test("lets those behind move up", async () => {
    const ledger = await emptied();
    const [first, second] = [aRequest(), aRequest()];
    for (const request of [first, second]) await takeTurn(ledger.redis, ledger.keys, request);
    await leaveLine(ledger.redis, ledger.keys, first.id);
    const wait = await takeTurn(ledger.redis, ledger.keys, second);
    expect(waitOf(wait)).toBeLessThanOrEqual(1000);
  });
});

describe("holdBucket", () => {
  test("shuts a bucket for its time, and leaves it empty", async () => {
    const ledger = await openLedger();
    await holdBucket(ledger.redis, ledger.keys, "key1", 4000);
    const wait = await turnOf(ledger, { rate: { rps: 5, burst: 15 } });
    expect(waitOf(wait)).toBeGreaterThan(3000);
    expect(waitOf(wait)).toBeLessThanOrEqual(4000);
  });

  test("leaves other keys open", async () => {
    const ledger = await openLedger();
    await holdBucket(ledger.redis, ledger.keys, "key1", 4000);
    const apiKeys = [KEY1, { keyId: "key2", restsForMs: 0 }];
    expect(await turnOf(ledger, { apiKeys })).toEqual({ status: "turn", keyId: "key2" });
  });
});
