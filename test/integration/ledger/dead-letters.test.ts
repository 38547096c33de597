import { publishVerdicts, type PublishOptions } from "@assay/ledger";
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

const bytesOf = ({ redis, keys }: Ledger) => redis.get(`${keys.deadLetters("input")}:bytes`);

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
    for (let n = 0; n < 5; n++) ids.push(await bury(ledger, Buffer.alloc(1000), { maxDeadLetterBytes: 2500 }));
    expect((await lettersOf(ledger)).map(({ id }) => id)).toEqual(ids.slice(3));
  });

  test("counts the bytes of what it keeps", async () => {
    const ledger = await openLedger();
    for (const size of [10, 2000, 30, 40]) await bury(ledger, Buffer.alloc(size), { maxDeadLetters: 2 });
    const kept = await lettersOf(ledger);
    const bytes = kept.reduce((sum, { meta, payload }) => sum + Buffer.byteLength(meta) + (payload?.length ?? 0), 0);
    expect(Number(await bytesOf(ledger))).toBe(bytes);
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
    await bury(ledger, Buffer.alloc(2000), { maxDeadLetterBytes: 2500 });
    await ledger.redis.del(ledger.keys.deadLetters("input"));
    const ids: string[] = [];
    for (let n = 0; n < 2; n++) ids.push(await bury(ledger, Buffer.alloc(1000), { maxDeadLetterBytes: 2500 }));
    expect((await lettersOf(ledger)).map(({ id }) => id)).toEqual(ids);
  });
});
