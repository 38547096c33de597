import { randomUUID } from "node:crypto";
import { createArchiveStream, publishVerdicts, readArchiveBacklog, tellArchive } from "@assay/ledger";
import { outcomeId } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { accepted, anId, aPublication, keeping } from "./builders.ts";
import { type Ledger, openConnection, openLedger, timeOf } from "./open-ledger.ts";
import { about, counted, tell } from "./telling.ts";

const BOUND = 1_000_000;

async function archivedLedger(maxBytes: number | undefined = BOUND): Promise<Ledger> {
  const ledger = await openLedger();
  await tellArchive(ledger.redis, ledger.prefix, "0", maxBytes);
  return ledger;
}

async function entriesOf({ redis, keys }: Ledger) {
  const stream = createArchiveStream({ redis, reader: await openConnection(), keys, consumer: randomUUID() });
  return await stream.read({ count: 100, blockMs: 1, takeoverAfterMs: 60_000 });
}

describe("reportOutcome, for the archive", () => {
  test("hands over what became of a submission, also before it is decided, and once", async () => {
    const ledger = await archivedLedger();
    const { id } = await counted(ledger);
    const now = await timeOf(ledger.redis);
    for (let n = 0; n < 2; n++) {
      await tell(
        ledger,
        { about: about(id), outcome: "chargeback", label: "fraud", occurred_at: 1_760_000_000_000 },
        "op",
      );
    }
    await tell(ledger, { about: about(id), label: "legit" }, "other");
    const [first, second, ...rest] = await entriesOf(ledger);
    expect(rest).toEqual([]);
    expect(first).toMatchObject({
      type: "label",
      id: outcomeId("0", "default", "op"),
      submissionId: id,
      outcome: "chargeback",
      label: "fraud",
      occurredAt: 1_760_000_000_000,
    });
    expect(second).toMatchObject({ type: "label", id: outcomeId("0", "default", "other"), label: "legit" });
    expect(second).not.toHaveProperty("outcome");
    expect(second?.type === "label" && Math.abs(second.toldAt - now) < 60_000).toBe(true);
  });

  test("hands over nothing where there is no archive, or no longer", async () => {
    const ledger = await archivedLedger();
    await tellArchive(ledger.redis, ledger.prefix, "0", undefined);
    await tell(ledger, { about: about(await accepted(ledger)), label: "fraud" });
    expect(await ledger.redis.exists(ledger.keys.archive())).toBe(0);
  });

  test("hands over nothing of a test, of an unknown submission, or of what is refused", async () => {
    const ledger = await archivedLedger();
    const tested = await accepted(ledger, { test: true });
    expect((await tell(ledger, { about: about(tested), label: "fraud" })).status).toBe("accepted");
    expect((await tell(ledger, { about: about(anId()), label: "fraud" })).status).toBe("missing");
    const ahead = {
      about: about(await accepted(ledger)),
      label: "fraud",
      occurred_at: Date.now() + 3_600_000,
    } as const;
    expect((await tell(ledger, ahead)).status).toBe("ahead");
    expect(await ledger.redis.exists(ledger.keys.archive())).toBe(0);
  });

  test("lets the oldest go beyond the bound, whatever they are", async () => {
    const ledger = await archivedLedger(1000);
    const id = await accepted(ledger);
    const publication = aPublication(id, { pinned: "x".repeat(900) });
    await publishVerdicts(ledger.redis, ledger.keys, [publication], keeping(ledger, { archive: true }));
    await tell(ledger, { about: about(id), label: "fraud" });
    expect((await entriesOf(ledger)).map(({ type }) => type)).toEqual(["label"]);
    expect(await readArchiveBacklog(ledger.redis, ledger.keys)).toMatchObject({ entries: 1, dropped: 1 });
  });

  test("counts its bytes as they are taken away again", async () => {
    const ledger = await archivedLedger();
    const { redis, keys } = ledger;
    await tell(ledger, { about: about(await accepted(ledger)), outcome: "paid" });
    await tell(ledger, { about: about(await accepted(ledger)), outcome: "paid" });
    const stream = createArchiveStream({ redis, reader: await openConnection(), keys, consumer: "me" });
    const entries = await stream.read({ count: 1, blockMs: 1, takeoverAfterMs: 60_000 });
    const { bytes } = await readArchiveBacklog(redis, keys);
    await stream.settle(entries);
    expect((await readArchiveBacklog(redis, keys)).bytes).toBe(bytes / 2);
  });

  test("lets what another version wrote be laid aside", async () => {
    const ledger = await archivedLedger();
    await ledger.redis.xadd(ledger.keys.archive(), "*", "t", "later", "x", "1");
    await ledger.redis.xadd(ledger.keys.archive(), "*", "t", "label", "i", "o_1", "a", "s_1", "o", "no json", "r", "1");
    expect((await entriesOf(ledger)).map(({ type }) => type)).toEqual(["unreadable", "unreadable"]);
  });
});
