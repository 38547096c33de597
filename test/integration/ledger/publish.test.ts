import { randomUUID } from "node:crypto";
import {
  pinInputs,
  publishVerdicts,
  readEventVerdicts,
  readSubmissionState,
  readVerdict,
  referenceHash,
} from "@assay/ledger";
import { decidedChannel, readEnvelope } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { accepted, anId, aPublication, aUse, aVerdict, HOUR_MS, keeping, loaded } from "./builders.ts";
import { type Ledger, openConnection, openLedger } from "./open-ledger.ts";

type Publication = Parameters<typeof publishVerdicts>[2][number];

const publish = (ledger: Ledger, ...publications: Publication[]) =>
  publishVerdicts(ledger.redis, ledger.keys, publications, keeping(ledger));

async function outboxOf({ redis, keys }: Ledger) {
  const entries = await redis.xrange(keys.verdicts(), "-", "+");
  return entries.map(([streamId, [name, body]]) => ({ streamId, name, envelope: readEnvelope(body ?? "") }));
}

describe("publishVerdicts", () => {
  test("lets the first of 20 racing verdicts stand, and puts it into the outbox once", async () => {
    const ledger = await openLedger();
    const connections = await Promise.all([1, 2, 3, 4].map(() => openConnection()));
    const id = await accepted(ledger);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        publishVerdicts(
          connections[n % 4] ?? ledger.redis,
          ledger.keys,
          [aPublication(id, { digest: `digest${n % 10}` }, { score: n % 10 })],
          keeping(ledger),
        ),
      ),
    );
    const statuses = answers.flat().map(({ status }) => status);
    expect(statuses.filter((status) => status === "published")).toHaveLength(1);
    expect(statuses.filter((status) => status === "repeated")).toHaveLength(1);
    expect(statuses.filter((status) => status === "conflict")).toHaveLength(18);
    const outbox = await outboxOf(ledger);
    expect(outbox).toHaveLength(1);
    const verdict = await readVerdict(ledger.redis, ledger.keys, id);
    expect(verdict).toEqual({ status: "decided", json: JSON.stringify(outbox[0]?.envelope?.data) });
  });

  test("wraps the verdict for the outbox, under the stream id that it answers", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    const message = "naïve “quotes” \\ and 日本";
    const reasons = [{ rule: "r1", message, evidence: { vpn: true } }];
    const [answer] = await publish(ledger, aPublication(id, {}, { reasons }));
    const [entry] = await outboxOf(ledger);
    expect(answer).toEqual({ status: "published", id, streamId: entry?.streamId });
    expect(entry).toMatchObject({
      name: "e",
      envelope: { type: "verdict.decided", id, at: 1_760_000_000_500, data: aVerdict(id, { reasons }) },
    });
  });

  test("calls an equal verdict repeated", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    const later = aPublication(id, {}, { decided_at: 1_760_000_009_999 });
    const [, again] = [await publish(ledger, aPublication(id)), await publish(ledger, later)];
    expect(again).toEqual([{ status: "repeated", id }]);
  });

  test("says which verdict of two in one batch was first", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    const answers = await publish(ledger, aPublication(id), aPublication(id));
    expect(answers.map(({ status }) => status)).toEqual(["published", "repeated"]);
  });

  test("calls another verdict from equal inputs nondeterminism", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    const [inputs] = await pinInputs(ledger.redis, ledger.keys, [aUse({ id, eventId: randomUUID() })]);
    const pinned = inputs?.pinned ?? "";
    await publish(ledger, aPublication(id, { pinned }));
    const answer = await publish(ledger, aPublication(id, { pinned, digest: "digest2" }));
    expect(answer).toEqual([{ status: "conflict", id, reason: "nondeterminism" }]);
  });

  test("calls another verdict from other inputs a conflict of inputs", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    await publish(ledger, aPublication(id, { pinned: "0|0|1" }));
    const answer = await publish(ledger, aPublication(id, { pinned: "1|0|2", digest: "digest2" }));
    expect(answer).toEqual([{ status: "conflict", id, reason: "inputs" }]);
  });

  test("compares with what the verdict that stands was made from, whatever was pinned since", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    await publish(ledger, aPublication(id, {}, { undecided: { code: "worker_crashed" } }));
    const [inputs] = await pinInputs(ledger.redis, ledger.keys, [aUse({ id, eventId: randomUUID() })]);
    const answer = await publish(ledger, aPublication(id, { pinned: inputs?.pinned ?? "", digest: "digest2" }));
    expect(answer).toEqual([{ status: "conflict", id, reason: "inputs" }]);
  });

  test("does not call it nondeterminism when only one of two could decide", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    await publish(ledger, aPublication(id, {}, { undecided: { code: "lookup_unavailable" } }));
    const answer = await publish(ledger, aPublication(id, { digest: "digest2" }));
    expect(answer).toEqual([{ status: "conflict", id, reason: "inputs" }]);
  });

  test("publishes nothing for what has no record, and forgets that it was pending", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const id = await accepted(ledger);
    await redis.del(keys.record(id));
    expect(await publish(ledger, aPublication(id))).toEqual([{ status: "orphan", id }]);
    expect(await redis.exists(keys.record(id), keys.verdict(id), keys.verdicts(), keys.pending("results"))).toBe(0);
  });

  test("answers a mixed batch in its order", async () => {
    const ledger = await openLedger();
    const [orphan, fresh, decided] = [anId(), await accepted(ledger), await accepted(ledger)];
    await publish(ledger, aPublication(decided));
    const answers = await publish(
      ledger,
      aPublication(orphan),
      aPublication(fresh),
      aPublication(decided, { digest: "digest2" }),
    );
    expect(answers.map(({ id, status }) => [id, status])).toEqual([
      [orphan, "orphan"],
      [fresh, "published"],
      [decided, "conflict"],
    ]);
  });

  test("drops the payload, the try and the pending entry, and starts the record's time", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const id = await accepted(ledger);
    await loaded(ledger, id, "token1");
    await publish(ledger, aPublication(id, {}, { action: "block" }));
    expect(await redis.hmget(keys.record(id), "p", "k", "x", "sw", "su")).toEqual([null, null, null, null, null]);
    expect(await redis.zcard(keys.pending("results"))).toBe(0);
    const [recordTtlMs, verdictTtlMs] = [await redis.pttl(keys.record(id)), await redis.pttl(keys.verdict(id))];
    expect(recordTtlMs).toBeGreaterThan(HOUR_MS);
    expect(recordTtlMs).toBeLessThanOrEqual(2 * HOUR_MS);
    expect(verdictTtlMs).toBeGreaterThan(0);
    expect(verdictTtlMs).toBeLessThanOrEqual(HOUR_MS);
    expect(await readSubmissionState(redis, keys, id, 0)).toEqual({
      status: "decided",
      lane: "results",
      tries: 1,
      action: "block",
    });
  });

  test("announces what was decided, and nothing else, in one message", async () => {
    const ledger = await openLedger();
    const subscriber = await openConnection();
    const messages: string[] = [];
    subscriber.on("message", (_, message) => messages.push(message));
    await subscriber.subscribe(decidedChannel(ledger.prefix));
    const [first, second] = [await accepted(ledger), await accepted(ledger)];
    await publish(ledger, aPublication(first), aPublication(anId()), aPublication(second));
    await publish(ledger, aPublication(first));
    await ledger.redis.publish(decidedChannel(ledger.prefix), "end");
    await eventually(() => messages.includes("end"));
    expect(messages).toEqual([`${first},${second}`, "end"]);
  });

  test("lists the latest 100 verdicts on an event, newest first", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const eventId = randomUUID();
    const ids = await Promise.all(Array.from({ length: 105 }, () => accepted(ledger)));
    await publish(ledger, ...ids.map((id) => aPublication(id, {}, { event_id: eventId })));
    await publish(ledger, aPublication(await accepted(ledger)));
    const bodies = await readEventVerdicts(redis, keys, eventId);
    const newest = ids.toReversed().slice(0, 100);
    expect(bodies).toEqual(newest.map((id) => JSON.stringify(aVerdict(id, { event_id: eventId }))));
    expect(await redis.llen(keys.eventVerdicts(eventId))).toBe(100);
    expect(await redis.pttl(keys.eventVerdicts(eventId))).toBeGreaterThan(HOUR_MS);
  });

  test("lists the latest 100 submissions of a reference, newest first, under its hash alone", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const ids = await Promise.all(Array.from({ length: 102 }, () => accepted(ledger)));
    await publish(ledger, ...ids.map((id) => aPublication(id, {}, { context: { reference: "order-1001" } })));
    await publish(ledger, aPublication(await accepted(ledger), {}, { context: { flow: "login" } }));
    const list = keys.reference(referenceHash("installation-key", "order-1001"));
    expect(await redis.lrange(list, 0, -1)).toEqual(ids.toReversed().slice(0, 100));
    expect(await redis.pttl(list)).toBeGreaterThan(HOUR_MS);
    expect((await redis.keys(`${ledger.prefix}*:r:*`)).length).toBe(1);
  });

  test("publishes an empty batch as nothing", async () => {
    const ledger = await openLedger();
    expect(await publish(ledger)).toEqual([]);
    expect(await ledger.redis.exists(ledger.keys.verdicts())).toBe(0);
  });
});
