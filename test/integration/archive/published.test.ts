import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { type Archive, aVerdictRow, DAY_MS, idOf, NOON, openArchive } from "./open-archive.ts";

const TENANT = "0";

/** Archives a verdict that was published at `ms`, received so long before. */
const published = (ms: number, seq: number | bigint = 0, lateMs = 20, tenant = TENANT) =>
  aVerdictRow({ received_at: ms - lateMs, decided_at: ms }, { streamId: `${ms}-${seq}`, tenant });

const idsOf = async ({ reader }: Archive, range: { after: string; before?: string; limit?: number }) =>
  (await reader.published({ tenant: TENANT, ...range })).map(({ streamId }) => streamId);

describe.skipIf(withoutPostgres)("published verdicts of the archive", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test("come in the order of the stream, whenever they were received, and as they were published", async () => {
    const archive = await openArchive(server);
    const rows = [
      published(NOON, 1),
      published(NOON, 0, 4 * DAY_MS),
      published(NOON, 10),
      published(NOON + 1, 0, -5_000),
      published(NOON - 3 * DAY_MS),
    ];
    await archive.writer.write(rows);
    const found = await archive.reader.published({ tenant: TENANT, after: "0-0" });
    expect(found).toEqual([4, 1, 0, 2, 3].map((n) => ({ streamId: rows[n]?.streamId, verdict: rows[n]?.verdict })));
  });

  test("lie between two places, neither of which is among them, and are of one tenant", async () => {
    const archive = await openArchive(server);
    await archive.writer.write([
      ...[1, 2, 3, 4].map((seq) => published(NOON, seq)),
      published(NOON, 2, 20, "1"),
      aVerdictRow(),
    ]);
    expect(await idsOf(archive, { after: `${NOON}-1`, before: `${NOON}-4` })).toEqual([`${NOON}-2`, `${NOON}-3`]);
    expect(await idsOf(archive, { after: `${NOON}-18446744073709551615` })).toEqual([]);
    expect(await idsOf(archive, { after: `${NOON}-3`, before: `${NOON}-3` })).toEqual([]);
  });

  test("are gone on with behind the last one, over days and midnights, until there are no more", async () => {
    const archive = await openArchive(server);
    const rows = Array.from({ length: 60 }, (_, n) => published(NOON - n * 0.4 * DAY_MS, n, (n % 6) * 0.8 * DAY_MS));
    await archive.writer.write(rows);
    const all: string[] = [];
    for (;;) {
      const page = await idsOf(archive, { after: all.at(-1) ?? "0-0", limit: 7 });
      expect(page.length).toBeLessThanOrEqual(7);
      if (page.length === 0) break;
      all.push(...page);
    }
    expect(all).toEqual(rows.map(({ streamId }) => streamId).toReversed());
  });

  test("are not found by when they were published more than five days after they were received", async () => {
    const archive = await openArchive(server);
    const late = published(NOON, 0, 7 * DAY_MS);
    await archive.writer.write([late, published(NOON, 1)]);
    expect(await idsOf(archive, { after: "0-0" })).toEqual([`${NOON}-1`]);
    expect(await archive.reader.verdict({ tenant: TENANT, id: idOf(late) })).toBeDefined();
  });

  test("are none where nothing is archived", async () => {
    expect(await idsOf(await openArchive(server), { after: "0-0" })).toEqual([]);
  });

  test.each(["", "x-1", "1", "1-", "-1-0", "1-0 OR true"])("are not asked for behind %j", async (after) => {
    const archive = await openArchive(server);
    await expect(idsOf(archive, { after })).rejects.toMatchObject({ code: "archive_rejected" });
  });

  test("are refused with an id that no stream has, and nothing else of their batch", async () => {
    const { writer } = await openArchive(server);
    const rows = [published(NOON), aVerdictRow({}, { streamId: "soon" })];
    expect(await writer.write(rows)).toMatchObject({ inserted: 1, rejected: [{ index: 1 }] });
  });
});
