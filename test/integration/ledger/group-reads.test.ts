import {
  closeGap,
  deliverGone,
  forgetGone,
  type GroupMember,
  holdLease,
  isArchiveKnown,
  keepEntries,
  leaveGroup,
  readGone,
  readGroup,
  readGroupOrGap,
  shortenGap,
  takeOverEntries,
  tellArchive,
  tellGroupArchive,
} from "@assay/ledger";
import { createKeys } from "@assay/protocol";
import { Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startRedis } from "../../support/redis-server.ts";
import { openLedger } from "./open-ledger.ts";

/** Two members of one group, on a stream with entries of these ids. */
async function openGroup(...ids: string[]) {
  const { redis, keys, prefix } = await openLedger();
  const stream = keys.verdicts();
  await redis.xgroup("CREATE", stream, "crm", "0", "MKSTREAM", "ENTRIESREAD", 0);
  for (const id of ids) await redis.xadd(stream, id, "x", "1", "e", `entry ${id}`);
  const member = (consumer: string): GroupMember => ({ redis, keys, group: "crm", consumer });
  return { redis, keys, prefix, stream, one: member("one"), other: member("other") };
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
    expect(await readGroup(one, 2)).toEqual({ entries: [], end: "3-0" });
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

  test("tells nothing of what was read before Redis was killed", async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const redis = new Redis(server.url);
    redis.on("error", () => undefined);
    onTestFinished(() => redis.disconnect());
    const keys = createKeys({ prefix: "killed" });
    const stream = keys.verdicts();
    for (const id of ["1-0", "2-0", "3-0"]) await redis.xadd(stream, id, "e", `entry ${id}`);
    await redis.xgroup("CREATE", stream, "crm", "0", "ENTRIESREAD", 0);
    const one = { redis, keys, group: "crm", consumer: "one" };
    expect(idsOf(await readGroup(one, 9))).toHaveLength(3);
    await server.kill("SIGKILL");
    await server.restart();
    await redis.xadd(stream, "9-0", "e", "a");
    await redis.xtrim(stream, "MAXLEN", 1);
    expect(await readGroup(one, 9)).toEqual({ entries: [{ entryId: "9-0", json: "a" }] });
  });

  test("tells no number where entries were taken out by hand, and tells it once", async () => {
    const { redis, stream, one } = await openGroup("1-0", "2-0", "3-0", "4-0");
    await readGroup(one, 1);
    await redis.xdel(stream, "3-0");
    await redis.xtrim(stream, "MAXLEN", 1);
    expect(await readGroup(one, 1)).toMatchObject({ gap: { from: 1, to: 3 }, entries: [{ entryId: "4-0" }] });
    expect(await readGroup(one, 1)).toEqual({ entries: [], end: "4-0" });
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
    expect(await readGroupOrGap(one, 1)).toEqual({ entries: [{ entryId: "20-0", json: "b" }] });
  });

  test("leaves a group before what was trimmed, or notes that for others and goes on, where it is asked to", async () => {
    const { redis, stream, one, other } = await openGroup("1-0", "2-0", "3-0", "4-5", "5-0");
    await readGroup(one, 1);
    await redis.xtrim(stream, "MAXLEN", 1);
    const gap = { lost: 3, from: 1, to: 4, after: "1-0", before: "5-0" };
    for (const member of [one, other]) expect(await readGroup(member, 5, "stay")).toEqual({ entries: [], gap });
    const left = [{ entryId: "5-0", json: "entry 5-0" }];
    expect(await readGroup(one, 5, "note")).toEqual({ entries: left, gap, isNoted: true });
    expect(await readGroup(other, 5, "note")).toEqual({ entries: [], end: "5-0" });
    expect(await readGroupOrGap(other, 5)).toMatchObject({ entries: [], noted: { gap } });
  });

  test("notes so many gaps and no more: one more is lost", async () => {
    const { redis, keys, stream, one } = await openGroup("1-0", "2-0");
    await redis.rpush(keys.gaps("crm"), ...Array.from({ length: 1000 }, () => "1 0-0 0-1"));
    await readGroup(one, 1);
    await redis.xtrim(stream, "MAXLEN", 0);
    expect(await readGroup(one, 1, "note")).toMatchObject({ gap: { lost: 1 } });
    expect(await redis.llen(keys.gaps("crm"))).toBe(1000);
  });

  test("says that there is no group, as Redis does", async () => {
    const { redis, keys } = await openLedger();
    await redis.xadd(keys.verdicts(), "*", "e", "a");
    await expect(readGroup({ redis, keys, group: "crm", consumer: "one" }, 1)).rejects.toThrow("NOGROUP");
  });
});

describe("readGroupOrGap", () => {
  test("gives a gap to all who ask, until it is read by who has the lease, and nothing behind it", async () => {
    const { redis, keys, stream, one, other } = await openGroup("1-0", "2-0", "3-0", "4-5", "5-0");
    await readGroup(one, 1);
    await redis.xtrim(stream, "MAXLEN", 1);
    const { noted } = await readGroupOrGap(one, 5);
    if (noted === undefined) throw new Error("There is a gap.");
    expect(noted.gap).toEqual({ lost: 3, from: 1, to: 4, after: "1-0", before: "5-0" });
    expect(await readGroupOrGap(other, 5)).toEqual({ entries: [], noted });
    expect(await shortenGap(other, noted, ["2-0"])).toBeUndefined();
    await holdLease(redis, keys.gapLease("crm"), "other", 60_000);
    const rest = await shortenGap(other, noted, ["2-0", "3-0"]);
    if (rest === undefined) throw new Error("There is a rest.");
    expect(rest.gap).toMatchObject({ lost: 1, after: "3-0", before: "5-0" });
    expect(await readGroupOrGap(one, 5)).toEqual({ entries: [], noted: rest });
    // Of the gap as it was nobody takes or closes anything any more.
    expect(await shortenGap(other, noted, ["2-0"])).toBeUndefined();
    await closeGap(other, noted);
    expect(await readGroupOrGap(one, 5)).toEqual({ entries: [], noted: rest });
    await closeGap(other, rest);
    expect(await readGroupOrGap(one, 5)).toEqual({ entries: [{ entryId: "5-0", json: "entry 5-0" }] });
    expect(await readGone(one, 9)).toEqual([
      { entryId: "2-0", deliveries: 0 },
      { entryId: "3-0", deliveries: 0 },
    ]);
  });
});

describe("deliverGone", () => {
  test("counts the deliveries of what is not dealt with, for who has the lease", async () => {
    const { redis, keys, one, other } = await openGroup();
    await redis.hset(keys.goneEntries("crm"), "2-0", 3, "10-0", 0);
    await holdLease(redis, keys.gapLease("crm"), "one", 60_000);
    expect(await deliverGone(other, ["2-0"])).toEqual(new Map());
    expect(await deliverGone(one, ["2-0", "3-0"])).toEqual(new Map([["2-0", 4]]));
    const gone = [
      { entryId: "2-0", deliveries: 4 },
      { entryId: "10-0", deliveries: 0 },
    ];
    expect(await readGone(other, 9)).toEqual(gone);
    await forgetGone(other, ["2-0"]);
    expect(await readGone(other, 9)).toEqual(gone.slice(1));
  });
});

describe("isArchiveKnown", () => {
  test("knows of the installation's archive, and of one that a consumer of the group has", async () => {
    const { redis, prefix, one, other } = await openGroup();
    expect(await isArchiveKnown(one)).toBe(false);
    await tellGroupArchive(other, 60_000);
    expect(await isArchiveKnown(one)).toBe(true);
    await tellGroupArchive(other, 1);
    await eventually(async () => expect(await isArchiveKnown(one)).toBe(false));
    await tellArchive(redis, prefix, "0", 1);
    expect(await isArchiveKnown(one)).toBe(true);
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
      gone: ["1-0"],
    });
    expect(await takeOverEntries(one, wanted.slice(0, 1))).toEqual({ entries: [], gone: [] });
  });

  test("leaves what was trimmed where it is where it is asked to, and takes no more than asked", async () => {
    const { redis, stream, one, other } = await openGroup("1-0", "2-0", "3-0");
    await readGroup(one, 3);
    await redis.xtrim(stream, "MAXLEN", 2);
    const wanted = ["1-0", "2-0", "3-0"].map((entryId) => ({ entryId, minIdleMs: 0 }));
    for (const member of [one, other]) {
      expect(await takeOverEntries(member, wanted, { most: 1, onGone: "stay" })).toMatchObject({
        entries: [{ entryId: "2-0" }],
        gone: ["1-0"],
      });
    }
  });

  test("notes what was trimmed with how often it was delivered, once, where it is asked to", async () => {
    const { redis, stream, one, other } = await openGroup("1-0");
    await readGroup(one, 1);
    await takeOverEntries(other, [{ entryId: "1-0", minIdleMs: 0 }]);
    await redis.xtrim(stream, "MAXLEN", 0);
    const wanted = [{ entryId: "1-0", minIdleMs: 0 }];
    expect(await takeOverEntries(one, wanted, { onGone: "note" })).toEqual({ entries: [], gone: ["1-0"] });
    expect(await takeOverEntries(other, wanted, { onGone: "note" })).toEqual({ entries: [], gone: [] });
    expect(await readGone(one, 9)).toEqual([{ entryId: "1-0", deliveries: 2 }]);
  });

  test("leaves what was trimmed where it is while too much is noted", async () => {
    const { redis, keys, stream, one } = await openGroup("1-0");
    await readGroup(one, 1);
    await redis.xtrim(stream, "MAXLEN", 0);
    await redis.hset(
      keys.goneEntries("crm"),
      Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`0-${n + 1}`, 1])),
    );
    const wanted = [{ entryId: "1-0", minIdleMs: 0 }];
    expect(await takeOverEntries(one, wanted, { onGone: "note" })).toEqual({ entries: [], gone: [] });
    expect(await takeOverEntries(one, wanted, { onGone: "stay" })).toEqual({ entries: [], gone: ["1-0"] });
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

describe("leaveGroup", () => {
  test("forgets who holds nothing, and takes nothing from the group with who does", async () => {
    const { redis, stream, one, other } = await openGroup("1-0");
    await readGroup(one, 1);
    await readGroup(other, 1);
    for (const member of [one, other]) await leaveGroup(member);
    expect(await redis.xinfo("CONSUMERS", stream, "crm")).toEqual([expect.arrayContaining(["one"])]);
    expect(await redis.xpending(stream, "crm", "-", "+", 9)).toEqual([["1-0", "one", expect.any(Number), 1]]);
  });
});
