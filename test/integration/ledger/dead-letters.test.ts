import {
  createArchiveStream,
  layAsideVerdict,
  publishVerdicts,
  type PublishOptions,
  settleDelivery,
} from "@assay/ledger";
import type { LetterKind } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { accepted, aPublication, keeping } from "./builders.ts";
import { type Ledger, openLedger } from "./open-ledger.ts";

/** Accepts bytes and publishes that nobody could read them. */
async function bury(ledger: Ledger, payload: Buffer, over: Partial<PublishOptions> = {}): Promise<string> {
  const id = await accepted(ledger, { payload });
  const publication = aPublication(id, { deadLetter: true }, { undecided: { code: "no_key_opens" } });
  await publishVerdicts(ledger.redis, ledger.keys, [publication], keeping(ledger, over));
  return id;
}

async function lettersOf({ redis, keys }: Ledger) {
  const entries = await redis.xrangeBuffer(keys.deadLetters("input"), "-", "+");
  return entries.map(([, fields]) => {
    const at = (name: string) => fields[fields.findIndex((field) => field.toString() === name) + 1];
    return { id: String(at("id")), code: String(at("code")), meta: String(at("meta")), payload: at("payload") };
  });
}

/** Bytes of all values that letters of a kind hold, beside what the tally says of them. */
async function tallied({ redis, keys }: Ledger, kind: LetterKind) {
  const [entries, [bytes, dropped]] = await Promise.all([
    redis.xrangeBuffer(keys.deadLetters(kind), "-", "+"),
    redis.hmget(keys.deadLetterTally(kind), "bytes", "dropped"),
  ]);
  const values = entries.flatMap(([, fields]) => fields.filter((_, at) => at % 2 === 1));
  const held = values.reduce((sum, value) => sum + value.length, 0);
  return { letters: entries.length, held, bytes: Number(bytes), dropped: Number(dropped) };
}

describe("publishVerdicts, with a dead letter", () => {
  test("keeps the bytes that were handed in, and why they could not be judged", async () => {
    const ledger = await openLedger();
    const payload = Buffer.from([0, 1, 254, 255, 13, 10]);
    const id = await bury(ledger, payload);
    const [letter] = await lettersOf(ledger);
    expect(letter).toMatchObject({ id, code: "no_key_opens", payload });
    expect(JSON.parse(letter?.meta ?? "")).toMatchObject({ kind: "sealed" });
  });

  test("keeps none of what was decided, nor of a verdict that came second", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    const undecided = { undecided: { code: "no_key_opens" } };
    const publications = [aPublication(id), aPublication(id, { deadLetter: true, digest: "digest2" }, undecided)];
    await publishVerdicts(ledger.redis, ledger.keys, publications, keeping(ledger));
    expect(await lettersOf(ledger)).toEqual([]);
  });

  test("drops the oldest above the count", async () => {
    const ledger = await openLedger();
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push(await bury(ledger, Buffer.alloc(10), { maxDeadLetters: 3 }));
    expect((await lettersOf(ledger)).map(({ id }) => id)).toEqual(ids.slice(2));
  });

  test("drops the oldest above the bytes", async () => {
    const ledger = await openLedger();
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push(await bury(ledger, Buffer.alloc(1000), { maxDeadLetterBytes: 2800 }));
    expect((await lettersOf(ledger)).map(({ id }) => id)).toEqual(ids.slice(3));
  });

  test("counts the bytes of what it keeps, and what it drops", async () => {
    const ledger = await openLedger();
    for (const size of [10, 2000, 30, 40]) await bury(ledger, Buffer.alloc(size), { maxDeadLetters: 2 });
    const { letters, held, bytes, dropped } = await tallied(ledger, "input");
    expect({ letters, bytes, dropped }).toEqual({ letters: 2, bytes: held, dropped: 2 });
  });

  test("keeps no letter that is larger than all may be, and starts counting anew", async () => {
    const ledger = await openLedger();
    await bury(ledger, Buffer.alloc(5000), { maxDeadLetterBytes: 1000 });
    expect(await lettersOf(ledger)).toEqual([]);
    const id = await bury(ledger, Buffer.alloc(10), { maxDeadLetterBytes: 1000 });
    expect((await lettersOf(ledger)).map((letter) => letter.id)).toEqual([id]);
  });

  test("keeps new letters after somebody emptied the stream by hand", async () => {
    const ledger = await openLedger();
    await bury(ledger, Buffer.alloc(2000), { maxDeadLetterBytes: 2800 });
    await ledger.redis.del(ledger.keys.deadLetters("input"));
    const ids: string[] = [];
    for (let n = 0; n < 2; n++) ids.push(await bury(ledger, Buffer.alloc(1000), { maxDeadLetterBytes: 2800 }));
    expect((await lettersOf(ledger)).map(({ id }) => id)).toEqual(ids);
  });
});

const MIB = 1024 * 1024;

/** Lays 33 MiB aside, one each, in the way of a kind: one more than may be kept. */
const heaps: readonly { kind: LetterKind; by: string; heap: (ledger: Ledger) => Promise<unknown> }[] = [
  {
    kind: "pipeline",
    by: "the archive",
    heap: async ({ redis, keys }) => {
      const archive = createArchiveStream({ redis, reader: redis, keys, consumer: "archiver1" });
      for (let n = 0; n < 33; n++) {
        await redis.xadd(keys.archive(), "*", "v", "x".repeat(MIB), "p", "", "m", "", "e", "");
        const entries = await archive.read({ count: 1, blockMs: 1, takeoverAfterMs: 60_000 });
        await archive.settle(
          entries,
          entries.map(({ entryId }) => ({ entryId, code: "22P05" })),
        );
      }
    },
  },
  {
    kind: "delivery",
    by: "a group",
    heap: async ({ redis, keys }) => {
      for (let n = 0; n < 33; n++) {
        const [entryId, envelope] = [`1-${n}`, "x".repeat(MIB)];
        const letter = { group: "crm", entryId, id: "", code: "unreadable", deliveries: 1, at: 1, envelope };
        await layAsideVerdict(redis, keys, letter);
      }
    },
  },
  {
    kind: "delivery",
    by: "an endpoint",
    heap: async ({ redis, keys }) => {
      for (let n = 0; n < 33; n++) {
        await redis.hset(keys.delivery("wh_1"), "b", "x".repeat(MIB), "n", 9);
        await redis.zadd(keys.deliveriesInFlight("orders"), 1, "wh_1");
        const dead = { outcome: "dead", reason: "timeout", at: 1 } as const;
        await settleDelivery(redis, keys, "orders", { id: "wh_1", leaseUntil: 1 }, dead, 1e9);
      }
    },
  },
];

describe("dead letters", () => {
  test.each(heaps)("of the kind $kind, by $by, hold 32 MiB at most, and say how many went", async ({ kind, heap }) => {
    const ledger = await openLedger();
    await heap(ledger);
    const { letters, held, bytes, dropped } = await tallied(ledger, kind);
    expect({ letters, bytes, dropped }).toEqual({ letters: 31, bytes: held, dropped: 2 });
  });
});
