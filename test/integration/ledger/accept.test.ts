import { acceptSubmissions, publishVerdicts } from "@assay/ledger";
import { contentDigest, differingGroups, backfillId, webhookId } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { accepted, anArrival, anId, aPublication, keeping } from "./builders.ts";
import { type Ledger, openConnection, openLedger, timeOf } from "./open-ledger.ts";

const accept = async ({ redis, keys }: Ledger, ...arrivals: Parameters<typeof acceptSubmissions>[2][number][]) =>
  acceptSubmissions(redis, keys, arrivals);

describe("acceptSubmissions", () => {
  test("makes one record and one pending entry of 100 equal arrivals at once", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const connections = await Promise.all([1, 2, 3, 4].map(() => openConnection()));
    const arrival = anArrival();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => acceptSubmissions(connections[n % 4] ?? redis, keys, [arrival])),
    );
    const statuses = answers.flat().map(({ status }) => status);
    expect(statuses.filter((status) => status === "accepted")).toHaveLength(1);
    expect(statuses.filter((status) => status === "duplicate")).toHaveLength(99);
    expect(await redis.zrange(keys.pending("results"), 0, "-1")).toEqual([arrival.id]);
    expect(new Set(answers.flat().map(({ receivedAt }) => receivedAt)).size).toBe(1);
  });

  test("answers equal arrivals of one batch as it answers them apart", async () => {
    const ledger = await openLedger();
    const arrival = anArrival();
    const answers = await accept(ledger, arrival, arrival, anArrival());
    expect(answers.map(({ status }) => status)).toEqual(["accepted", "duplicate", "accepted"]);
  });

  test("answers no arrivals with nothing", async () => {
    expect(await accept(await openLedger())).toEqual([]);
  });

  test("keeps the record of what is undecided for ever", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    expect(await ledger.redis.pttl(ledger.keys.record(id))).toBe(-1);
  });

  test("calls other content under a known id a conflict, keeps the first, and tells its digest", async () => {
    const ledger = await openLedger();
    const first = anArrival({ ruleset: "strict" });
    const other = { ...first, submission: { ...first.submission, ruleset: "lax" } };
    const [, answer] = await accept(ledger, first, other);
    expect(answer?.status).toBe("conflict");
    expect(differingGroups(answer?.digest ?? "", contentDigest(other.submission))).toEqual(["ruleset"]);
    const [again] = await accept(ledger, first);
    expect(again?.status).toBe("duplicate");
  });

  test("calls a known submission decided once it is", async () => {
    const ledger = await openLedger();
    const arrival = anArrival();
    await accept(ledger, arrival);
    await publishVerdicts(ledger.redis, ledger.keys, [aPublication(arrival.id)], keeping(ledger));
    const [answer] = await accept(ledger, arrival);
    expect(answer?.status).toBe("decided");
    const [conflict] = await accept(ledger, { ...arrival, submission: { kind: "lookup", event_id: "e1" } });
    expect(conflict?.status).toBe("conflict");
  });

  test.each([
    { kind: "webhook", idOf: webhookId },
    { kind: "backfill", idOf: backfillId },
  ] as const)("never calls a $kind a conflict, and keeps its first body", async ({ kind, idOf }) => {
    const ledger = await openLedger();
    const id = idOf("0", "event1");
    const body = (text: string) => anArrival({ kind, event_id: "event1", payload: Buffer.from(text) }, id);
    const answers = await accept(ledger, body("first"), body("second"));
    expect(answers.map(({ status }) => status)).toEqual(["accepted", "duplicate"]);
    expect(await ledger.redis.hget(ledger.keys.record(id), "p")).toBe("first");
    const publication = aPublication(id, { lane: "background" }, { kind });
    await publishVerdicts(ledger.redis, ledger.keys, [publication], keeping(ledger));
    const [late] = await accept(ledger, body("third"));
    expect(late?.status).toBe("decided");
  });

  test.each([
    { kind: "sealed", lane: "results" },
    { kind: "lookup", lane: "lookups" },
    { kind: "webhook", lane: "background" },
    { kind: "backfill", lane: "background" },
  ] as const)("lets $kind wait in $lane", async ({ kind, lane }) => {
    const ledger = await openLedger();
    const [answer] = await accept(ledger, anArrival({ kind }));
    expect(answer?.lane).toBe(lane);
    expect(await ledger.redis.zcard(ledger.keys.pending(lane))).toBe(1);
  });

  test("takes Redis's time for an arrival that names none", async () => {
    const ledger = await openLedger();
    const before = await timeOf(ledger.redis);
    const answers = await accept(ledger, anArrival(), { ...anArrival(), receivedAt: Number.NaN });
    const after = await timeOf(ledger.redis);
    for (const { receivedAt, clamped } of answers) {
      expect(receivedAt).toBeGreaterThanOrEqual(Math.floor(before));
      expect(receivedAt).toBeLessThanOrEqual(after);
      expect(clamped).toBe(false);
    }
  });

  test.each([
    { says: "a time within 5 s", offsetMs: -4_000, keptOffsetMs: -4_000, clamped: false },
    { says: "a time too early", offsetMs: -60_000, keptOffsetMs: -5_000, clamped: true },
    { says: "a time too late", offsetMs: 60_000, keptOffsetMs: 5_000, clamped: true },
    { says: "no time at all", offsetMs: Number.POSITIVE_INFINITY, keptOffsetMs: 5_000, clamped: true },
  ])("keeps received_at within 5 s of Redis's time, and says when it moved it: $says", async (row) => {
    const ledger = await openLedger();
    const before = await timeOf(ledger.redis);
    const arrival = { ...anArrival(), receivedAt: Math.floor(before) + row.offsetMs };
    const [answer] = await accept(ledger, arrival);
    const elapsedMs = (await timeOf(ledger.redis)) - before;
    expect(answer?.clamped).toBe(row.clamped);
    expect(answer?.receivedAt).toBeGreaterThanOrEqual(Math.floor(before) + row.keptOffsetMs);
    expect(answer?.receivedAt).toBeLessThanOrEqual(before + row.keptOffsetMs + elapsedMs);
    const score = await ledger.redis.zscore(ledger.keys.pending("results"), arrival.id);
    expect(Number(score)).toBe(answer?.receivedAt);
  });

  test("accepts an id anew when its record has gone", async () => {
    const ledger = await openLedger();
    const arrival = anArrival({}, anId());
    await accept(ledger, arrival);
    await ledger.redis.del(ledger.keys.record(arrival.id));
    const [answer] = await accept(ledger, arrival);
    expect(answer?.status).toBe("accepted");
  });
});
