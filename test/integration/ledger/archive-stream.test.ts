import { randomUUID } from "node:crypto";
import { inflateRawSync } from "node:zlib";
import {
  ARCHIVE_GROUP,
  type ArchiveEntry,
  type ArchiveStream,
  createArchiveStream,
  type Publication,
  publishVerdicts,
  type PublishOptions,
  readArchiveBacklog,
} from "@assay/ledger";
import { describe, expect, test } from "vitest";
import { accepted, anId, aPublication, keeping } from "./builders.ts";
import { type Ledger, openConnection, openLedger, timeOf } from "./open-ledger.ts";

const AT_ONCE = { count: 100, blockMs: 1, takeoverAfterMs: 60_000 };

/** Accepts submissions and publishes verdicts on them, each for the archive. */
async function publish(
  ledger: Ledger,
  publications: readonly Partial<Publication>[],
  over: Partial<PublishOptions> = {},
): Promise<string[]> {
  const ids: string[] = [];
  for (const publication of publications) {
    const id = await accepted(ledger);
    ids.push(id);
    const options = keeping(ledger, { archive: true, ...over });
    await publishVerdicts(ledger.redis, ledger.keys, [aPublication(id, publication)], options);
  }
  return ids;
}

async function streamOf(ledger: Ledger, consumer: string = randomUUID()): Promise<ArchiveStream> {
  return createArchiveStream({ redis: ledger.redis, reader: await openConnection(), keys: ledger.keys, consumer });
}

type VerdictEntry = Extract<ArchiveEntry, { type: "verdict" }>;

const verdictsOf = (entries: readonly ArchiveEntry[]): VerdictEntry[] =>
  entries.flatMap((entry) => (entry.type === "verdict" ? [entry] : []));

const idsOf = (entries: readonly ArchiveEntry[]) =>
  verdictsOf(entries).map(({ verdict }) => String(JSON.parse(verdict).id));

const backlogOf = ({ redis, keys }: Ledger) => readArchiveBacklog(redis, keys);

describe("publishVerdicts, for the archive", () => {
  test("hands over the verdict as it was published, what was pinned, the submission and the event", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const event = JSON.stringify({ event_id: "e1", user_agent: "Zoë 🦊 \u0000" });
    const [id = ""] = await publish(ledger, [{ pinned: "0|0|1", event }]);
    const [entry, ...rest] = verdictsOf(await (await streamOf(ledger)).read(AT_ONCE));
    expect(rest).toEqual([]);
    expect(entry).toMatchObject({ verdict: await redis.get(keys.verdict(id)), pinned: "0|0|1|" });
    expect(entry?.streamId).toBe((await redis.xrange(keys.verdicts(), "-", "+"))[0]?.[0]);
    expect(JSON.parse(entry?.submission ?? "")).toEqual({ kind: "sealed", context: { flow: "login" } });
    expect(inflateRawSync(entry?.event ?? "").toString()).toBe(event);
  });

  test("hands over a verdict without an event", async () => {
    const ledger = await openLedger();
    await publish(ledger, [{}]);
    const [entry] = await (await streamOf(ledger)).read(AT_ONCE);
    expect(entry).not.toHaveProperty("event");
  });

  test("hands over each verdict once, and none that lost or has no record", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const id = await accepted(ledger);
    const same = [aPublication(id), aPublication(id), aPublication(id, { digest: "digest2" }), aPublication(anId())];
    for (let round = 0; round < 2; round++) {
      await publishVerdicts(redis, keys, same, keeping(ledger, { archive: true }));
    }
    expect(idsOf(await (await streamOf(ledger)).read(AT_ONCE))).toEqual([id]);
  });

  test("hands over no test, and nothing at all unless it is told to", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const tested = aPublication(await accepted(ledger), {}, { test: true });
    await publishVerdicts(redis, keys, [tested], keeping(ledger, { archive: true }));
    await publishVerdicts(redis, keys, [aPublication(await accepted(ledger))], keeping(ledger));
    expect(await redis.exists(keys.archive(), keys.archiveBacklog())).toBe(0);
  });

  test("lets the oldest go when too many bytes wait, also those in hand, and counts them", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const pinned = "x".repeat(10_000);
    const stream = await streamOf(ledger);
    const ids = await publish(ledger, [{ pinned }, { pinned }]);
    const inHand = await stream.read({ ...AT_ONCE, count: 1 });
    ids.push(...(await publish(ledger, [{ pinned }, { pinned }], { maxArchiveBytes: 25_000 })));
    expect(await backlogOf(ledger)).toMatchObject({ entries: 2, dropped: 2 });
    expect((await redis.xpending(keys.archive(), ARCHIVE_GROUP))[0]).toBe(0);
    await stream.settle(inHand);
    const left = await stream.read(AT_ONCE);
    expect(idsOf(left)).toEqual(ids.slice(2));
    await stream.settle(left);
    const { bytes, dropped, droppedBytes } = await backlogOf(ledger);
    expect([bytes, dropped, droppedBytes > 20_000]).toEqual([0, 2, true]);
  });

  test("counts an entry that is larger than all may be as dropped", async () => {
    const ledger = await openLedger();
    await publish(ledger, [{ pinned: "x".repeat(1000) }], { maxArchiveBytes: 500 });
    expect(await backlogOf(ledger)).toMatchObject({ entries: 0, bytes: 0, dropped: 1 });
  });

  test("counts anew after somebody emptied the stream by hand", async () => {
    const ledger = await openLedger();
    await publish(ledger, [{ pinned: "x".repeat(5000) }]);
    await ledger.redis.del(ledger.keys.archive());
    await publish(ledger, [{ pinned: "x".repeat(1000) }], { maxArchiveBytes: 2500 });
    expect(await backlogOf(ledger)).toMatchObject({ entries: 1, dropped: 0 });
  });
});

describe("createArchiveStream", () => {
  test("keeps what has been read until it is settled", async () => {
    const ledger = await openLedger();
    await publish(ledger, [{}, {}, {}]);
    const stream = await streamOf(ledger);
    const entries = await stream.read({ ...AT_ONCE, count: 2 });
    expect((await backlogOf(ledger)).entries).toBe(3);
    await stream.settle(entries);
    expect((await backlogOf(ledger)).entries).toBe(1);
  });

  test("gives two readers different entries, and the second what the first died with", async () => {
    const ledger = await openLedger();
    const ids = await publish(ledger, [{}, {}]);
    const [first, second] = [await streamOf(ledger), await streamOf(ledger)];
    const dead = await first.read({ ...AT_ONCE, count: 1 });
    const mine = await second.read(AT_ONCE);
    expect([...idsOf(dead), ...idsOf(mine)]).toEqual(ids);
    await second.settle(mine);
    expect(idsOf(await second.read({ ...AT_ONCE, takeoverAfterMs: 0 }))).toEqual(idsOf(dead));
  });

  test("settles twice as once", async () => {
    const ledger = await openLedger();
    await publish(ledger, [{}, {}]);
    const stream = await streamOf(ledger);
    const [entry, ...others] = await stream.read(AT_ONCE);
    const [settled, bytes] = [entry === undefined ? [] : [entry], (await backlogOf(ledger)).bytes];
    await stream.settle(settled);
    await stream.settle(settled);
    await stream.settle([]);
    expect(await backlogOf(ledger)).toMatchObject({ entries: others.length, bytes: bytes / 2 });
  });

  test("keeps what was rejected as a dead letter, with why and all that it held", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    await publish(ledger, [{}, { pinned: "bad" }]);
    const stream = await streamOf(ledger);
    const entries = verdictsOf(await stream.read(AT_ONCE));
    const bad = entries[1];
    await stream.settle(entries, [{ entryId: bad?.entryId ?? "", code: "archive_rejected" }]);
    const letters = await redis.xrange(keys.deadLetters("pipeline"), "-", "+");
    expect(letters.map(([, fields]) => fields)).toEqual([
      ["code", "archive_rejected", "v", bad?.verdict, "p", "bad|", "m", bad?.submission, "e", "", "s", bad?.streamId],
    ]);
    expect((await backlogOf(ledger)).entries).toBe(0);
  });

  test("reads on after its group was lost", async () => {
    const ledger = await openLedger();
    const stream = await streamOf(ledger);
    expect(await stream.read(AT_ONCE)).toEqual([]);
    await ledger.redis.del(ledger.keys.archive());
    const ids = await publish(ledger, [{}]);
    expect(idsOf(await stream.read(AT_ONCE))).toEqual(ids);
  });

  test("waits for the first entry", async () => {
    const ledger = await openLedger();
    const stream = await streamOf(ledger);
    await stream.read(AT_ONCE);
    const reading = stream.read({ ...AT_ONCE, blockMs: 10_000 });
    const ids = await publish(ledger, [{}]);
    expect(idsOf(await reading)).toEqual(ids);
  });
});

describe("readArchiveBacklog", () => {
  test("tells how much waits, and since when", async () => {
    const ledger = await openLedger();
    expect(await backlogOf(ledger)).toEqual({ entries: 0, bytes: 0, dropped: 0, droppedBytes: 0 });
    const before = Math.floor(await timeOf(ledger.redis));
    await publish(ledger, [{ pinned: "first" }]);
    const after = Math.ceil(await timeOf(ledger.redis));
    await publish(ledger, [{}]);
    const { entries, bytes, since = 0 } = await backlogOf(ledger);
    const stored = await ledger.redis.xrange(ledger.keys.archive(), "-", "+");
    const held = stored.flatMap(([, fields]) => fields.filter((_, at) => at % 2 === 1)).join("").length;
    expect({ entries, bytes }).toEqual({ entries: 2, bytes: held });
    expect(since >= before && since <= after).toBe(true);
  });
});
