import { randomUUID } from "node:crypto";
import { publishVerdicts, readEventVerdicts, readSubmissionState, readVerdict } from "@assay/ledger";
import { describe, expect, test } from "vitest";
import { accepted, anId, aPublication, aVerdict, keeping, loaded } from "./builders.ts";
import { openLedger } from "./open-ledger.ts";

describe("readVerdict", () => {
  test("tells pending, decided, expired and unknown apart", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const id = await accepted(ledger);
    expect(await readVerdict(redis, keys, anId())).toEqual({ status: "unknown" });
    expect(await readVerdict(redis, keys, id)).toEqual({ status: "pending" });
    await publishVerdicts(redis, keys, [aPublication(id)], keeping(ledger));
    expect(await readVerdict(redis, keys, id)).toEqual({ status: "decided", json: JSON.stringify(aVerdict(id)) });
    await redis.del(keys.verdict(id));
    expect(await readVerdict(redis, keys, id)).toEqual({ status: "expired" });
    await redis.del(keys.record(id));
    expect(await readVerdict(redis, keys, id)).toEqual({ status: "unknown" });
  });
});

describe("readSubmissionState", () => {
  test("knows nothing of what was never accepted", async () => {
    const { redis, keys } = await openLedger();
    expect(await readSubmissionState(redis, keys, anId(), 0)).toBeUndefined();
  });

  test("calls it accepted until its first try, and waiting from then on", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const id = await accepted(ledger);
    expect(await readSubmissionState(redis, keys, id, 0)).toEqual({ status: "accepted", lane: "results", tries: 0 });
    await loaded(ledger, id);
    expect(await readSubmissionState(redis, keys, id, 0)).toEqual({ status: "waiting", lane: "results", tries: 1 });
  });
});

describe("readEventVerdicts", () => {
  test("is empty for an event that nobody handed in", async () => {
    const { redis, keys } = await openLedger();
    expect(await readEventVerdicts(redis, keys, randomUUID())).toEqual([]);
  });

  test("leaves out verdicts that are no longer kept", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const eventId = randomUUID();
    const [gone, kept] = [await accepted(ledger), await accepted(ledger)];
    const publications = [gone, kept].map((id) => aPublication(id, {}, { event_id: eventId }));
    await publishVerdicts(redis, keys, publications, keeping(ledger));
    await redis.del(keys.verdict(gone));
    const bodies = await readEventVerdicts(redis, keys, eventId);
    expect(bodies).toEqual([JSON.stringify(aVerdict(kept, { event_id: eventId }))]);
  });
});
