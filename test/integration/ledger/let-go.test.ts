import { letGoSubmissions, publishVerdicts, readSubmissionState, type Release } from "@assay/ledger";
import { describe, expect, test } from "vitest";
import { accepted, anId, aPublication, keeping, loaded } from "./builders.ts";
import { type Ledger, openLedger } from "./open-ledger.ts";

const letGo = ({ redis, keys }: Ledger, token: string, release: Release) =>
  letGoSubmissions(redis, keys, token, [release]);
const stateOf = ({ redis, keys }: Ledger, id: string, now: number) => readSubmissionState(redis, keys, id, now);

describe("letGoSubmissions", () => {
  test("gives a try back: the next one is the first again", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    await loaded(ledger, id, "token1");
    await letGo(ledger, "token1", { id, spendsRetry: false });
    expect(await loaded(ledger, id, "token2")).toMatchObject({ state: "ready", work: { tries: 1, retries: 0 } });
  });

  test("gives a try back once, however often it is repeated", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    await loaded(ledger, id, "token1");
    for (let n = 0; n < 3; n++) await letGo(ledger, "token1", { id, spendsRetry: true });
    expect(await loaded(ledger, id, "token2")).toMatchObject({ state: "ready", work: { tries: 1, retries: 1 } });
  });

  test("does not give back the try of another token", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    await loaded(ledger, id, "token1");
    const snoozed = { why: "lookup_unavailable", until: 2_000 };
    await letGo(ledger, "token2", { id, spendsRetry: true, snoozed });
    expect(await loaded(ledger, id, "token2")).toMatchObject({ state: "suspect" });
    expect(await stateOf(ledger, id, 1_000)).toEqual({ status: "waiting", lane: "results", tries: 1 });
  });

  test("shows why and until when a submission is snoozed, until then", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger, { kind: "lookup", event_id: "e1" });
    await loaded(ledger, id, "token1");
    const snoozed = { why: "event_not_received", until: 2_000 };
    await letGo(ledger, "token1", { id, spendsRetry: false, snoozed });
    expect(await stateOf(ledger, id, 1_999)).toEqual({ status: "snoozed", lane: "lookups", tries: 0, snoozed });
    expect(await stateOf(ledger, id, 2_000)).toEqual({ status: "accepted", lane: "lookups", tries: 0 });
  });

  test("ends a snooze with the next try", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    await loaded(ledger, id, "token1");
    await letGo(ledger, "token1", { id, spendsRetry: false, snoozed: { why: "lookup_saturated", until: 2_000 } });
    await loaded(ledger, id, "token2");
    expect(await stateOf(ledger, id, 1_000)).toEqual({ status: "waiting", lane: "results", tries: 1 });
  });

  test("spends a retry only when it is told to", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    for (const [token, spendsRetry] of [
      ["token1", true],
      ["token2", false],
      ["token3", true],
    ] as const) {
      await loaded(ledger, id, token);
      await letGo(ledger, token, { id, spendsRetry });
    }
    expect(await loaded(ledger, id, "token4")).toMatchObject({ work: { tries: 1, retries: 2 } });
  });

  test("changes nothing of what is decided, and makes no record of what is missing", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const [decided, missing] = [await accepted(ledger), anId()];
    await loaded(ledger, decided, "token1");
    await publishVerdicts(redis, keys, [aPublication(decided)], keeping(ledger));
    const before = await redis.hgetall(keys.record(decided));
    const snoozed = { why: "lookup_saturated", until: 2_000 };
    await letGoSubmissions(redis, keys, "token1", [
      { id: decided, spendsRetry: true, snoozed },
      { id: missing, spendsRetry: true, snoozed },
    ]);
    expect(await redis.hgetall(keys.record(decided))).toEqual(before);
    expect(await redis.exists(keys.record(missing))).toBe(0);
  });
});
