import { describe, expect, test } from "vitest";
import { SHARD_COUNT, shardOf, shardTag } from "./shard.ts";

describe("shardOf", () => {
  test("is Redis Cluster's CRC16", () => {
    expect(shardOf("123456789", 16384)).toBe(0x31c3);
  });

  test("counts the bytes of text, not its characters", () => {
    expect(shardOf("ü", 16384)).not.toBe(shardOf("\u00fc".normalize("NFD"), 16384));
  });

  test("is 0 while there is one shard", () => {
    expect(shardOf("s_anything")).toBe(0);
  });

  test("spreads ids evenly", () => {
    const shards = Array.from({ length: 4_000 }, (_, n) => shardOf(`s_${n}`, 4));
    const counts = [0, 1, 2, 3].map((shard) => shards.filter((found) => found === shard).length);
    expect(Math.min(...counts)).toBeGreaterThan(900);
  });
});

describe("shardTag", () => {
  test("never moves a tag that has been written", () => {
    expect(shardTag(0)).toBe("fs1o1");
  });

  test("refuses a shard that does not exist", () => {
    expect(() => shardTag(SHARD_COUNT)).toThrow(RangeError);
  });
});
