import { letGoSubmissions, type Loaded, loadSubmissions, publishVerdicts } from "@assay/ledger";
import { describe, expect, test } from "vitest";
import { accepted, anId, aPublication, keeping, loaded } from "./builders.ts";
import { openConnection, openLedger, timeOf } from "./open-ledger.ts";

describe("loadSubmissions", () => {
  test("returns what was accepted, and counts the try", async () => {
    const ledger = await openLedger();
    const bytes = Buffer.from([0, 255, 13, 10, 124]);
    const id = await accepted(ledger, { payload: bytes, ruleset: "strict", traceparent: "00-1-2-01" });
    const found = await loaded(ledger, id);
    expect(found).toMatchObject({
      state: "ready",
      work: {
        id,
        meta: { kind: "sealed", ruleset: "strict", context: { flow: "login" }, traceparent: "00-1-2-01" },
        payload: bytes,
        tries: 1,
        retries: 0,
      },
    });
  });

  test("finds nothing in a record that cannot be read, and its neighbour all the same", async () => {
    const ledger = await openLedger();
    const broken = await accepted(ledger);
    const whole = await accepted(ledger);
    await ledger.redis.hset(ledger.keys.record(broken), "m", "{broken");
    const found = await loadSubmissions(ledger.redis, ledger.keys, [broken, whole], { token: "token", alone: false });
    expect(found.map(({ state }) => state)).toEqual(["missing", "ready"]);
  });

  test("returns no payload where there is none", async () => {
    const ledger = await openLedger();
    const arrivalId = await accepted(ledger, { kind: "lookup", event_id: "e1", payload: Buffer.alloc(0) });
    const found = await loaded(ledger, arrivalId);
    expect(found.state === "ready" && "payload" in found.work).toBe(false);
  });

  test("counts a try once, however often its token loads, and answers the same", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    const first = await loaded(ledger, id, "token1");
    const again = await Promise.all([1, 2, 3].map(() => loaded(ledger, id, "token1")));
    expect(again.map(timeless)).toEqual([1, 2, 3].map(() => timeless(first)));
    expect(await ledger.redis.hget(ledger.keys.record(id), "t")).toBe("1");
  });

  test("says when it was loaded by Redis's clock, and for which try", async () => {
    const ledger = await openLedger();
    const before = Math.floor(await timeOf(ledger.redis));
    const found = await loaded(ledger, await accepted(ledger), "token1");
    if (found.state !== "ready") throw new Error("It is new.");
    expect(found.work.token).toBe("token1");
    expect(found.work.loadedAt).toBeGreaterThanOrEqual(before);
    expect(found.work.loadedAt).toBeLessThanOrEqual(await timeOf(ledger.redis));
  });

  test("gives a submission to one of 20 tries at once, and calls it suspect to the others", async () => {
    const ledger = await openLedger();
    const connections = await Promise.all([1, 2, 3, 4].map(() => openConnection()));
    const id = await accepted(ledger);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        loadSubmissions(connections[n % 4] ?? ledger.redis, ledger.keys, [id], { token: `token${n}`, alone: false }),
      ),
    );
    const states = answers.flat().map(({ state }) => state);
    expect(states.filter((state) => state === "ready")).toHaveLength(1);
    expect(states.filter((state) => state === "suspect")).toHaveLength(19);
  });

  test("does not count what it calls suspect", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    await loaded(ledger, id, "token1");
    expect(await loaded(ledger, id, "token2")).toEqual({ state: "suspect", id });
    expect(await ledger.redis.hmget(ledger.keys.record(id), "t", "k")).toEqual(["1", "token1"]);
  });

  test("gives a suspect to whoever runs it alone", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    await loaded(ledger, id, "token1");
    expect(await loaded(ledger, id, "alone1", true)).toMatchObject({ state: "ready", work: { tries: 2 } });
  });

  test("calls it crashed, and keeps its payload back, after it died alone twice", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    await loaded(ledger, id, "token1");
    expect(await loaded(ledger, id, "alone1", true)).toMatchObject({ state: "ready" });
    expect(await loaded(ledger, id, "alone2", true)).toMatchObject({ state: "ready" });
    const found = await loaded(ledger, id, "alone3", true);
    expect(found).toMatchObject({ state: "crashed", work: { id, meta: { kind: "sealed" }, tries: 3 } });
    expect(found.state === "crashed" && "payload" in found.work).toBe(false);
    expect(timeless(await loaded(ledger, id, "alone4", true))).toEqual(timeless(found));
  });

  test("does not take a try that was let go for a death", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    await loaded(ledger, id, "token1");
    for (const token of ["alone1", "alone2", "alone3", "alone4"]) {
      expect(await loaded(ledger, id, token, true)).toMatchObject({ state: "ready" });
      await letGoSubmissions(ledger.redis, ledger.keys, token, [{ id, spendsRetry: false }]);
    }
  });

  test("says what is decided, missing and ready, in the order it was asked", async () => {
    const ledger = await openLedger();
    const [decided, missing, ready] = [await accepted(ledger), anId(), await accepted(ledger)];
    await publishVerdicts(ledger.redis, ledger.keys, [aPublication(decided)], keeping(ledger));
    const options = { token: "token1", alone: false };
    const found = await loadSubmissions(ledger.redis, ledger.keys, [decided, missing, ready], options);
    expect(found.map(({ state, id }) => [state, id])).toEqual([
      ["decided", decided],
      ["missing", missing],
      ["ready", ready],
    ]);
  });

  test("makes no record of what is missing", async () => {
    const ledger = await openLedger();
    const id = anId();
    await loaded(ledger, id);
    expect(await ledger.redis.exists(ledger.keys.record(id))).toBe(0);
  });
});

/** Without what differs between two tries. */
function timeless(found: Loaded): unknown {
  return "work" in found ? { ...found, work: { ...found.work, loadedAt: 0, token: "" } } : found;
}
