import { type GroupMember, keepEntries, moveGroup, readGroup, readGroupUpToGap, takeOverEntries } from "@assay/ledger";
import { describe, expect, test } from "vitest";
import { openLedger } from "./open-ledger.ts";

/** Two members of one group, on a stream with entries of these ids. */
async function openGroup(...ids: string[]) {
  const { redis, keys } = await openLedger();
  const stream = keys.verdicts();
  await redis.xgroup("CREATE", stream, "crm", "0", "MKSTREAM", "ENTRIESREAD", 0);
  for (const id of ids) await redis.xadd(stream, id, "x", "1", "e", `entry ${id}`);
  const member = (consumer: string): GroupMember => ({ redis, keys, group: "crm", consumer });
  return { redis, stream, one: member("one"), other: member("other") };
}

const idsOf = ({ entries }: { readonly entries: readonly { readonly entryId: string }[] }) =>
  entries.map(({ entryId }) => entryId);

describe("readGroup", () => {
  test("gives what is new, and nothing at the end", async () => {
    const { one, other } = await openGroup("1-0", "2-0", "3-0");
    expect(await readGroup(one, 2)).toEqual({
      entries: [
        { entryId: "1-0", json: "entry 1-0" },
        { entryId: "2-0", json: "entry 2-0" },
      ],
    });
    expect(idsOf(await readGroup(other, 2))).toEqual(["3-0"]);
    expect(await readGroup(one, 2)).toEqual({ entries: [] });
  });

  test("tells what was trimmed unread to the first who reads, and to nobody else", async () => {
    const { redis, stream, one, other } = await openGroup("1-0", "2-0", "3-0", "4-5", "5-0");
    await readGroup(one, 1);
    await redis.xtrim(stream, "MAXLEN", 2);
    expect(await readGroup(one, 1)).toEqual({
      entries: [{ entryId: "4-5", json: "entry 4-5" }],
      gap: { lost: 2, from: 1, to: 4, after: "1-0", before: "4-5" },
    });
    expect(await readGroup(other, 1)).toEqual({ entries: [{ entryId: "5-0", json: "entry 5-0" }] });
    await redis.xadd(stream, "6-0", "e", "a");
    await redis.xadd(stream, "7-0", "e", "b");
    await redis.xtrim(stream, "MAXLEN", 1);
    expect(await readGroup(other, 1)).toMatchObject({ gap: { lost: 1 }, entries: [{ entryId: "7-0" }] });
  });

  test("tells no number where entries were taken out by hand, and tells it once", async () => {
    const { redis, stream, one } = await openGroup("1-0", "2-0", "3-0", "4-0");
    await readGroup(one, 1);
    await redis.xdel(stream, "3-0");
    await redis.xtrim(stream, "MAXLEN", 1);
    expect(await readGroup(one, 1)).toMatchObject({ gap: { from: 1, to: 3 }, entries: [{ entryId: "4-0" }] });
    expect(await readGroup(one, 1)).toEqual({ entries: [] });
  });

  test("tells nothing where all that is gone was read, though entries were taken out", async () => {
    const { redis, stream, one } = await openGroup("1-0", "2-0", "3-0");
    await readGroup(one, 3);
    await redis.xdel(stream, "2-0");
    await redis.xtrim(stream, "MAXLEN", 0);
    await redis.xadd(stream, "9-0", "e", "a");
    const nothingGone = { entries: [{ entryId: "9-0", json: "a" }] };
    expect(await readGroup(one, 1)).toEqual(nothingGone);
    await redis.xtrim(stream, "MAXLEN", 0);
    await redis.xadd(stream, "20-0", "e", "b");
    expect(await readGroupUpToGap(one, 1)).toEqual({ entries: [{ entryId: "20-0", json: "b" }] });
  });

  test("leaves a group before what was trimmed until it is moved on, page by page, where it is asked to", async () => {
    const { redis, stream, one, other } = await openGroup("1-0", "2-0", "3-0", "4-5", "5-0");
    await readGroup(one, 1);
    await redis.xtrim(stream, "MAXLEN", 1);
    const told = {
      gap: { lost: 3, from: 1, to: 4, after: "1-0", before: "5-0" },
      place: { id: "1-0", read: 1 },
      behind: { id: "4-18446744073709551615", read: 4 },
    };
    expect(await readGroupUpToGap(one, 5)).toEqual(told);
    expect(await readGroupUpToGap(other, 5)).toEqual(told);
    await moveGroup(other, { id: "3-0", read: 3 });
    expect(await readGroupUpToGap(one, 5)).toMatchObject({ gap: { lost: 1, after: "3-0", before: "5-0" } });
    await moveGroup(one, told.behind);
    expect(await readGroupUpToGap(other, 5)).toEqual({ entries: [{ entryId: "5-0", json: "entry 5-0" }] });
  });

  test("says that there is no group, as Redis does", async () => {
    const { redis, keys } = await openLedger();
    await redis.xadd(keys.verdicts(), "*", "e", "a");
    await expect(readGroup({ redis, keys, group: "crm", consumer: "one" }, 1)).rejects.toThrow("NOGROUP");
  });
});

describe("takeOverEntries", () => {
  test("gives what nobody had for a while, and tells once what was trimmed", async () => {
    const { redis, stream, one, other } = await openGroup("1-0", "2-0", "3-0");
    await readGroup(one, 3);
    await redis.xtrim(stream, "MAXLEN", 2);
    const wanted = [
      { entryId: "1-0", minIdleMs: 0 },
      { entryId: "2-0", minIdleMs: 0 },
      { entryId: "3-0", minIdleMs: 60_000 },
    ];
    expect(await takeOverEntries(other, wanted)).toEqual({
      entries: [{ entryId: "2-0", json: "entry 2-0" }],
      gap: { lost: 1, from: 1, to: 1, after: "0-18446744073709551615", before: "1-1" },
      gone: ["1-0"],
    });
    expect(await takeOverEntries(one, wanted.slice(0, 1))).toEqual({ entries: [] });
  });

  test("leaves the group what was trimmed, until it is acknowledged, where it is asked to, and takes no more than asked", async () => {
    const { redis, stream, one, other } = await openGroup("1-0", "2-0", "3-0");
    await readGroup(one, 3);
    await redis.xtrim(stream, "MAXLEN", 2);
    const wanted = ["1-0", "2-0", "3-0"].map((entryId) => ({ entryId, minIdleMs: 0 }));
    const options = { most: 1, keepsGone: true };
    for (const member of [one, other]) {
      expect(await takeOverEntries(member, wanted, options)).toMatchObject({
        entries: [{ entryId: "2-0" }],
        gone: ["1-0"],
      });
    }
    await redis.xack(stream, "crm", "1-0");
    expect(await takeOverEntries(one, wanted.slice(0, 1), options)).toEqual({ entries: [] });
  });
});

describe("keepEntries", () => {
  test("keeps what is there, and leaves the group what was trimmed", async () => {
    const { redis, stream, one, other } = await openGroup("1-0", "2-0");
    await readGroup(one, 2);
    await redis.xtrim(stream, "MAXLEN", 1);
    expect(await keepEntries(other, ["1-0", "2-0", "9-0"], 5000)).toEqual(["2-0"]);
    expect(await redis.xpending(stream, "crm", "-", "+", 9)).toEqual([
      ["1-0", "one", expect.any(Number), 1],
      ["2-0", "other", expect.any(Number), 1],
    ]);
  });
});
