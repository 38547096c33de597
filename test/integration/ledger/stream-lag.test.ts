import { readLeftGroups, readStreamLag } from "@assay/ledger";
import { describe, expect, test } from "vitest";
import { openLedger } from "./open-ledger.ts";

describe("readStreamLag", () => {
  test("counts what each group has not been given", async () => {
    const { redis, keys } = await openLedger();
    const stream = keys.verdicts();
    await redis.xgroup("CREATE", stream, "orders", "0", "MKSTREAM");
    for (const entry of ["a", "b", "c"]) await redis.xadd(stream, "*", "e", entry);
    await redis.xgroup("CREATE", stream, "late", "$");
    await redis.xreadgroup("GROUP", "orders", "me", "COUNT", 1, "STREAMS", stream, ">");
    expect(await readStreamLag(redis, keys)).toEqual([
      { group: "late", lag: 0 },
      { group: "orders", lag: 2 },
    ]);
  });

  test("finds no group where there is no stream", async () => {
    const { redis, keys } = await openLedger();
    expect(await readStreamLag(redis, keys)).toEqual([]);
  });
});

describe("readLeftGroups", () => {
  test("finds groups that miss what they cannot read, and no others", async () => {
    const { redis, keys } = await openLedger();
    expect(await readLeftGroups(redis, keys)).toEqual([]);
    for (const group of ["before", "had", "reads", "well"]) {
      await redis.xgroup("CREATE", keys.verdicts(), group, "0", "MKSTREAM");
    }
    await redis.rpush(keys.gaps("before"), "1 0-0 1-0");
    await redis.hset(keys.goneEntries("had"), "1-0", 1);
    await redis.rpush(keys.gaps("reads"), "1 0-0 1-0");
    await redis.set(keys.groupArchive("reads"), "1");
    expect(await readLeftGroups(redis, keys)).toEqual(["before", "had"]);
  });
});
