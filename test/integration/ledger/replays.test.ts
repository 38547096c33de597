import {
  endReplay,
  idBefore,
  idBehind,
  moveReplay,
  pauseEndpoint,
  readEndpoints,
  readPublished,
  readReplays,
  requestReplay,
  tellEndpoints,
} from "@assay/ledger";
import { describe, expect, test } from "vitest";
import { openLedger } from "./open-ledger.ts";

const REPLAY = { endpoint: "orders", after: "5-0", before: "9-0", planned: 0 };

describe("a replay", () => {
  test("is one at a time, and moves only from where it stands", async () => {
    const { redis, keys } = await openLedger();
    expect(await requestReplay(redis, keys, REPLAY)).toBe(true);
    expect(await requestReplay(redis, keys, { ...REPLAY, after: "1-0" })).toBe(false);
    const further = { ...REPLAY, after: "7-0", planned: 2 };
    expect(await moveReplay(redis, keys, REPLAY, further)).toBe(true);
    expect(await moveReplay(redis, keys, REPLAY, { ...REPLAY, after: "6-0" })).toBe(false);
    expect(await readReplays(redis, keys)).toEqual([further]);
    expect(await moveReplay(redis, keys, further)).toBe(true);
    expect(await readReplays(redis, keys)).toEqual([]);
  });

  test("that was ended is not begun again by who still works on it", async () => {
    const { redis, keys } = await openLedger();
    await requestReplay(redis, keys, REPLAY);
    expect(await endReplay(redis, keys, "orders")).toBe(true);
    expect(await moveReplay(redis, keys, REPLAY, { ...REPLAY, planned: 1 })).toBe(false);
    expect(await endReplay(redis, keys, "orders")).toBe(false);
  });
});

describe("readPublished", () => {
  test("reads a span of the stream without its ends, page by page", async () => {
    const { redis, keys } = await openLedger();
    for (const id of ["5-0", "5-1", "6-0", "7-0", "9-0"]) await redis.xadd(keys.verdicts(), id, "e", id);
    const idsOf = async (after: string, before: string, limit = 10) => {
      const { entries, isFull, trimmedBefore } = await readPublished(redis, keys, { after, before }, limit);
      return [entries.map(({ entryId }) => entryId), isFull, trimmedBefore];
    };
    expect(await idsOf("5-0", "9-0")).toEqual([["5-1", "6-0", "7-0"], false, undefined]);
    expect(await idsOf(idBefore("5-0"), "9-0", 2)).toEqual([["5-0", "5-1"], true, undefined]);
    expect(await idsOf("1-0", "9-0", 9)).toEqual([["5-0", "5-1", "6-0", "7-0"], false, undefined]);
  });

  test("says from where on the stream holds what it has held", async () => {
    const { redis, keys } = await openLedger();
    for (const id of ["5-0", "6-0", "7-0"]) await redis.xadd(keys.verdicts(), id, "e", id);
    await redis.xtrim(keys.verdicts(), "MAXLEN", 1);
    const trimmedBefore = async (after: string) =>
      (await readPublished(redis, keys, { after, before: "9-0" }, 9)).trimmedBefore;
    expect(await trimmedBefore("5-0")).toBe("7-0");
    expect(await trimmedBefore(idBefore("7-0"))).toBeUndefined();
    await redis.xtrim(keys.verdicts(), "MAXLEN", 0);
    expect(await trimmedBefore("5-0")).toBe(idBehind("7-0"));
    expect(await trimmedBefore("7-0")).toBeUndefined();
  });
});

describe("the endpoints of a tenant", () => {
  test("are those that were told last; a hold keeps its first reason and time", async () => {
    const { redis, keys } = await openLedger();
    const known = (name: string) => ({ name, host: "example.com", hasArchive: true });
    await tellEndpoints(redis, keys, [known("orders"), known("desk")]);
    await tellEndpoints(redis, keys, [known("orders")]);
    await redis.hset(keys.endpoint("orders"), "p", "gone", "pa", 7);
    await pauseEndpoint(redis, keys, "orders");
    const [endpoint, ...others] = await readEndpoints(redis, keys);
    expect(endpoint).toMatchObject({ ...known("orders"), hold: { why: "gone", since: 7 } });
    expect(others).toEqual([]);
    await tellEndpoints(redis, keys, []);
    expect(await readEndpoints(redis, keys)).toEqual([]);
  });
});
