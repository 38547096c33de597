import {
  acceptSubmissions,
  type ArchiveEntry,
  createArchiveStream,
  publishVerdicts,
  readArchiveBacklog,
} from "@assay/ledger";
import { ArchiveError, type VerdictRow } from "@assay/archive";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { anArrival, anId, aPublication, keeping } from "../ledger/builders.ts";
import { type Ledger, openConnection, openLedger } from "../ledger/open-ledger.ts";
import { type Archive, connectArchive, countOf, openArchive } from "./open-archive.ts";

async function publish(ledger: Ledger, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => anId());
  const { redis, keys } = ledger;
  await acceptSubmissions(
    redis,
    keys,
    ids.map((id) => anArrival({}, id)),
  );
  const publications = ids.map((id) => aPublication(id, { event: '{"event_id":"e1"}' }, { event_id: "e1" }));
  const published = await publishVerdicts(redis, keys, publications, keeping(ledger, { archive: true }));
  expect(published.every(({ status }) => status === "published")).toBe(true);
  return ids;
}

/** What an archiver does, until nothing waits. It stops at the first error, as if it had died there. */
async function archiveAll(ledger: Ledger, { writer }: Archive, consumer: string): Promise<void> {
  const { redis, keys } = ledger;
  const stream = createArchiveStream({ redis, reader: await openConnection(), keys, consumer });
  for (;;) {
    const entries = await stream.read({ count: 50, blockMs: 1, takeoverAfterMs: 0 });
    if (entries.length === 0) return;
    const { rejected } = await writer.write(entries.map((entry) => rowOf(entry, keys.tenant)));
    await stream.settle(
      entries,
      rejected.map(({ index, error }) => ({ entryId: entries[index]?.entryId ?? "", code: error.code })),
    );
  }
}

function rowOf(entry: ArchiveEntry, tenant: string): VerdictRow {
  if (entry.type !== "verdict") throw new Error("Nothing else is published here.");
  const { entryId: _entryId, bytes: _bytes, ...kept } = entry;
  return { tenant, ...kept };
}

describe.skipIf(withoutPostgres)("the stream archive and the archive", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test("bring every verdict into Postgres once, though Postgres is killed, and readers die with entries in hand", async () => {
    const [ledger, archive] = [await openLedger(), await openArchive(server)];
    const ids = await publish(ledger, 120);
    await archiveAll(ledger, archive, "first");
    await server.kill("SIGKILL");
    // Verdicts flow on.
    for (let n = 0; n < 3; n++) ids.push(...(await publish(ledger, 64)));
    for (const consumer of ["second", "third"]) {
      await expect(archiveAll(ledger, archive, consumer)).rejects.toThrow(ArchiveError);
    }
    expect((await readArchiveBacklog(ledger.redis, ledger.keys)).entries).toBe(192);
    await server.restart();
    await eventually(() => archiveAll(ledger, connectArchive(archive.url), "fourth"));
    expect(await readArchiveBacklog(ledger.redis, ledger.keys)).toMatchObject({ entries: 0, bytes: 0, dropped: 0 });
    const rows = await archive.pool.query<{ id: string; body: string }>("SELECT id, body FROM assay.verdicts");
    expect(rows.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(await countOf(archive, "events")).toBe(ids.length);
    const { redis, keys } = ledger;
    for (const { id, body } of rows.slice(0, 20)) expect(body).toBe(await redis.get(keys.verdict(id)));
  });

  test("lay aside the one entry that Postgres refuses, and go on", async () => {
    const [ledger, archive] = [await openLedger(), await openArchive(server)];
    const { redis, keys } = ledger;
    const ids = await publish(ledger, 5);
    const poison = anId();
    await acceptSubmissions(redis, keys, [anArrival({}, poison)]);
    await publishVerdicts(redis, keys, [aPublication(poison, { pinned: "\0" })], keeping(ledger, { archive: true }));
    ids.push(...(await publish(ledger, 5)));
    await archiveAll(ledger, archive, "me");
    expect(await countOf(archive, "verdicts")).toBe(ids.length);
    expect(await redis.xlen(keys.deadLetters("pipeline"))).toBe(1);
  });
});
