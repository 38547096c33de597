import { type DeadLetter, dropLetters, readArchiveBacklog, readLetterTally, readSubmissionState } from "@assay/ledger";
import { readLetter, redriveLetter, walkLetters } from "@assay/ledger";
import { type LetterKind, readEnvelope, redriveId } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { anId } from "./builders.ts";
import { aGroupLetter, anEndpointLetter, anInputLetter, aPipelineLetter, lettersOf } from "./laid-aside.ts";
import { type Ledger, openLedger, timeOf } from "./open-ledger.ts";

/** The last entry of a stream, as fields. */
async function lastOf({ redis }: Ledger, stream: string): Promise<string[]> {
  const [entry] = await redis.xrevrange(stream, "+", "-", "COUNT", 1);
  return entry?.[1] ?? [];
}

const makeGroup = ({ redis, keys }: Ledger) => redis.xgroup("CREATE", keys.verdicts(), "crm", "$", "MKSTREAM");

const sorts: readonly { name: string; make: (ledger: Ledger) => Promise<DeadLetter>; status: string }[] = [
  { name: "a submission", make: anInputLetter, status: "resubmitted" },
  { name: "an entry of the archive", make: aPipelineLetter, status: "returned" },
  { name: "a delivery", make: anEndpointLetter, status: "returned" },
  {
    name: "a verdict of a group",
    make: async (ledger) => {
      await makeGroup(ledger);
      return await aGroupLetter(ledger);
    },
    status: "returned",
  },
];

describe("redriveLetter", () => {
  test.each(sorts)("makes one of $name, though it is redriven twice at once", async ({ make, status }) => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const letter = await make(ledger);
    const redriven = await Promise.all([1, 2, 3].map(() => redriveLetter(redis, keys, letter)));
    expect(redriven.map((one) => one.status)).toEqual([status, "gone", "gone"]);
    expect(await readLetterTally(redis, keys, letter.kind)).toEqual({ count: 0, bytes: 0, dropped: 0 });
  });

  test("hands a submission in anew, in the background, with all that came with it", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const payload = Buffer.from([0, 1, 254, 255, 13, 10]);
    const letter = await anInputLetter(ledger, { payload, ruleset: "login", traceparent: "00-1" });
    const { id = "" } = letter;
    const receivedAt = Number(await redis.hget(keys.record(id), "r"));
    const before = Math.floor(await timeOf(redis));
    expect(await redriveLetter(redis, keys, letter)).toEqual({
      status: "resubmitted",
      id: `${id}~1`,
      lane: "background",
    });
    const record = keys.record(`${id}~1`);
    const [meta, lane, tries] = await redis.hmget(record, "m", "l", "t");
    expect([lane, tries]).toEqual(["background", "0"]);
    expect(JSON.parse(meta ?? "")).toEqual({
      kind: "sealed",
      ruleset: "login",
      traceparent: "00-1",
      context: { flow: "login", observed_at: receivedAt },
    });
    expect(await redis.hgetBuffer(record, "p")).toEqual(payload);
    const at = Number(await redis.zscore(keys.pending("background"), `${id}~1`));
    expect([at >= before, String(at)]).toEqual([true, await redis.hget(record, "r")]);
    expect(await readSubmissionState(redis, keys, id, 0)).toMatchObject({
      status: "decided",
      redrivenAs: `${id}~1`,
    });
    expect(await redis.pttl(keys.record(id))).toBeGreaterThan(0);
  });

  test("makes a new one where an earlier use of the same key was redriven", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const first = await anInputLetter(ledger);
    const { id = "" } = first;
    await redriveLetter(redis, keys, first);
    await redis.del(keys.record(id));
    const payload = Buffer.from("other bytes");
    const letter = await anInputLetter(ledger, { payload }, "no_key_opens", id);
    expect(await redriveLetter(redis, keys, letter)).toMatchObject({ status: "resubmitted", id: `${id}~2` });
    expect(await redis.hgetBuffer(keys.record(`${id}~2`), "p")).toEqual(payload);
    expect(await redis.hget(keys.record(id), "ra")).toBe(`${id}~2`);
  });

  test("keeps the time that the caller observed", async () => {
    const ledger = await openLedger();
    const letter = await anInputLetter(ledger, { context: { observed_at: 5 } });
    await redriveLetter(ledger.redis, ledger.keys, letter);
    const meta = await ledger.redis.hget(ledger.keys.record(`${letter.id}~1`), "m");
    expect(JSON.parse(meta ?? "")).toMatchObject({ context: { observed_at: 5 } });
  });

  test("remembers nothing of a submission that is forgotten", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const letter = await anInputLetter(ledger);
    await redis.del(keys.record(letter.id ?? ""));
    expect((await redriveLetter(redis, keys, letter)).status).toBe("resubmitted");
    expect(await redis.exists(keys.record(letter.id ?? ""))).toBe(0);
  });

  test("leaves a lookup to the lane that alone may ask the vendor", async () => {
    const ledger = await openLedger();
    const { id: _, ...letter } = await anInputLetter(ledger, { kind: "lookup", event_id: "e1" }, "worker_crashed");
    const id = anId();
    expect(await redriveLetter(ledger.redis, ledger.keys, { ...letter, id })).toEqual({
      status: "resubmitted",
      id: redriveId(id),
      lane: "lookups",
    });
  });

  test.each([
    ["unreadable", { fields: new Map([["meta", Buffer.from("{")]]) }],
    ["too_often", { id: `${anId()}~999` }],
  ])("refuses what is %s, and leaves it", async (why, over) => {
    const ledger = await openLedger();
    const letter = { ...(await anInputLetter(ledger)), ...over };
    expect(await redriveLetter(ledger.redis, ledger.keys, letter)).toEqual({ status: "refused", why });
    expect(await lettersOf(ledger, "input")).toHaveLength(1);
  });

  test("puts an entry back into the stream of the archive, as it was, and counts it", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const letter = await aPipelineLetter(ledger);
    expect(await readArchiveBacklog(redis, keys)).toMatchObject({ entries: 0 });
    expect(await redriveLetter(redis, keys, letter)).toMatchObject({ status: "returned", to: "archive" });
    const [entry] = await redis.xrangeBuffer(keys.archive(), "-", "+");
    const { code: _, ...held } = Object.fromEntries(letter.fields);
    const fields = entry?.[1] ?? [];
    expect(fields.map((field) => field.toString("latin1"))).toEqual(
      Object.entries(held).flatMap(([name, value]) => [name, value.toString("latin1")]),
    );
    const bytes = letter.bytes - letter.code.length;
    expect(await readArchiveBacklog(redis, keys)).toMatchObject({ entries: 1, bytes });
  });

  test("puts a delivery on its way again, under the id and with the body that it had", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const letter = await anEndpointLetter(ledger);
    const id = String(letter.fields.get("delivery"));
    expect(await redriveLetter(redis, keys, letter)).toEqual({ status: "returned", to: "endpoint", name: "orders" });
    expect(await redis.zrange(keys.deliveriesDue("orders"), "0", "-1")).toEqual([id]);
    expect(await redis.hget(keys.delivery(id), "b")).toBe(String(letter.fields.get("body")));
  });

  test("delivers a verdict again to its own group, and to nobody else", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    await makeGroup(ledger);
    const letter = await aGroupLetter(ledger);
    expect(await redriveLetter(redis, keys, letter)).toEqual({ status: "returned", to: "group", name: "crm" });
    const [name, envelope = ""] = await lastOf(ledger, keys.verdicts());
    expect(name).toBe("e");
    expect(readEnvelope(envelope, "crm")?.data.id).toBe(letter.id);
    expect([readEnvelope(envelope, "other"), readEnvelope(envelope)]).toEqual([undefined, undefined]);
  });

  test("keeps a verdict whose group is gone", async () => {
    const ledger = await openLedger();
    const letter = await aGroupLetter(ledger);
    const refused = { status: "refused", why: "no_group" };
    expect(await redriveLetter(ledger.redis, ledger.keys, letter)).toEqual(refused);
    await ledger.redis.xgroup("CREATE", ledger.keys.verdicts(), "other", "$", "MKSTREAM");
    expect(await redriveLetter(ledger.redis, ledger.keys, letter)).toEqual(refused);
    expect(await lettersOf(ledger, "delivery")).toHaveLength(1);
  });
});

describe("walkLetters", () => {
  test("shows every letter once, from either end, over pages", async () => {
    const ledger = await openLedger();
    const ids: (string | undefined)[] = [];
    for (let n = 0; n < 45; n++) ids.push((await aGroupLetter(ledger)).id);
    expect((await lettersOf(ledger, "delivery")).map(({ id }) => id)).toEqual(ids);
    const seen: DeadLetter[] = [];
    for await (const letter of walkLetters(ledger.redis, ledger.keys, "delivery", { newestFirst: true })) {
      seen.push(letter);
    }
    expect(seen.map(({ id }) => id)).toEqual(ids.toReversed());
  });

  test("ends with what was there when it began", async () => {
    const ledger = await openLedger();
    await aGroupLetter(ledger);
    let walked = 0;
    for await (const _ of walkLetters(ledger.redis, ledger.keys, "delivery")) {
      walked++;
      await aGroupLetter(ledger);
    }
    expect(walked).toBe(1);
  });

  test.each([
    ["input", anInputLetter],
    ["pipeline", aPipelineLetter],
    ["delivery", aGroupLetter],
    ["delivery", anEndpointLetter],
  ] as const)("knows which submission a letter of the kind %s is about", async (kind: LetterKind, make) => {
    const ledger = await openLedger();
    const letter = await make(ledger);
    expect(letter).toMatchObject({ kind, id: expect.stringMatching(/^s_[a-z2-7]{26}$/) });
    expect(await readLetter(ledger.redis, ledger.keys, kind, letter.entryId)).toEqual(letter);
  });
});

describe("dropLetters", () => {
  test("removes letters for good, and says how many were there", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const [first, second] = [await anInputLetter(ledger), await anInputLetter(ledger)];
    expect(await dropLetters(redis, keys, "input", [first.entryId, "1-1", first.entryId])).toBe(1);
    expect(await lettersOf(ledger, "input")).toEqual([second]);
    expect(await readLetterTally(redis, keys, "input")).toEqual({ count: 1, bytes: second.bytes, dropped: 0 });
  });
});
