import { deflateRawSync } from "node:zlib";
import { buryInArchive, eraseSubjectRows, findSubjectRows, maintainArchive } from "@assay/archive";
import { concerns, tombstoneHash } from "@assay/ledger";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { type Archive, aVerdictRow, countOf, DAY_MS, idOf, NOON, openArchive } from "../archive/open-archive.ts";

const anna = { kind: "user", value: "anna" } as const;

describe.skipIf(withoutPostgres)("an erasure in the archive", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  const aRowOf = (user: string, daysAgo = 0) =>
    aVerdictRow({ context: { user_id: user }, event_id: `event-of-${user}`, received_at: NOON - daysAgo * DAY_MS });
  const rowsOf = ({ pool }: Archive, eventIds: readonly string[] = []) =>
    findSubjectRows(pool, {
      tenant: "0",
      column: "user_id",
      spellings: [anna.value],
      concerns: (document) => concerns(anna, document),
      opensEvents: false,
      submissionIds: new Set(),
      eventIds: new Set(eventIds),
    });
  const erase = async (archive: Archive, submissionIds: readonly string[] = []) =>
    await eraseSubjectRows(archive.pool, { tenant: "0", rows: await rowsOf(archive), submissionIds, erasedAt: NOON });

  test("reaches every day, and the rows of nobody else and of no other tenant", async () => {
    const archive = await openArchive(server);
    const mine = [0, 1, 40].map((daysAgo) => aRowOf("anna", daysAgo));
    await archive.writer.write([...mine, aRowOf("bert"), aRowOf("annabel"), { ...aRowOf("anna"), tenant: "other" }]);
    expect(await erase(archive)).toEqual({ verdicts: 3, events: 3, labels: 0 });
    expect([await countOf(archive, "verdicts"), await countOf(archive, "events")]).toEqual([3, 3]);
    expect(await erase(archive)).toEqual({ verdicts: 0, events: 0, labels: 0 });
  });

  test("finds more rows than a page holds", async () => {
    const archive = await openArchive(server);
    await archive.writer.write(Array.from({ length: 1100 }, () => aRowOf("anna")));
    expect(await erase(archive)).toMatchObject({ verdicts: 1100 });
    expect(await countOf(archive, "verdicts")).toBe(0);
  });

  test.each([
    [{ kind: "visitor", value: "V1" }, { identification: { visitor_id: "V1" } }],
    [{ kind: "ip", value: "198.51.100.7" }, { ip_info: { v6: { address: "::ffff:198.51.100.7" } } }],
  ] as const)("finds $kind in an event alone, and says how far it is", async (subject, event) => {
    const archive = await openArchive(server);
    const [mine, others] = [aVerdictRow(), Array.from({ length: 1000 }, () => aVerdictRow())];
    await archive.writer.write([{ ...mine, event: deflateRawSync(JSON.stringify(event)) }, ...others]);
    const pages: number[] = [];
    const found = await findSubjectRows(archive.pool, {
      tenant: "0",
      ...(subject.kind === "visitor" ? { column: "visitor_id" } : {}),
      spellings: [subject.value],
      concerns: (document) => concerns(subject, document),
      opensEvents: true,
      submissionIds: new Set(),
      eventIds: new Set(),
      onPage: (opened) => pages.push(opened),
    });
    expect(found).toMatchObject([{ id: idOf(mine), isDirect: true }]);
    expect(pages).toEqual([1000]);
  });

  test("leads from an event to its other submissions", async () => {
    const archive = await openArchive(server);
    const other = aVerdictRow({ event_id: "event-of-anna" });
    await archive.writer.write([aRowOf("anna"), other]);
    const found = await rowsOf(archive, ["event-of-anna"]);
    expect(new Set(found.map(({ isDirect }) => isDirect))).toEqual(new Set([false, true]));
  });

  test("keeps out what a writer has in hand, and its labels, but not the verdict that says so", async () => {
    const archive = await openArchive(server);
    const [late, said] = [aRowOf("anna"), aVerdictRow({ undecided: { code: "event_erased" } })];
    await erase(archive, [idOf(late), idOf(said)]);
    const told = { tenant: "0", submissionId: idOf(late), label: "fraud", occurredAt: NOON, toldAt: NOON } as const;
    const batch = [late, said, { ...told, type: "label", id: "o_1" } as const];
    expect(await archive.writer.write(batch)).toEqual({ inserted: 1, rejected: [] });
    expect(await countOf(archive, "labels")).toBe(0);
  });

  test("lets in who uses an id anew", async () => {
    const archive = await openArchive(server);
    const late = aRowOf("anna");
    const id = idOf(late);
    await erase(archive, [id]);
    const fresh = aVerdictRow({ id, received_at: NOON + 1 });
    const told = { type: "label", tenant: "0", submissionId: id, label: "legit", occurredAt: NOON } as const;
    const labels = [
      { ...told, id: "o_1", toldAt: NOON },
      { ...told, id: "o_2", toldAt: NOON + 1 },
    ];
    expect(await archive.writer.write([late, fresh, ...labels])).toEqual({ inserted: 2, rejected: [] });
    expect([await countOf(archive, "verdicts"), await countOf(archive, "labels")]).toEqual([1, 1]);
  });

  test("waits for a writer that has not committed yet, and erases what that wrote", async () => {
    const archive = await openArchive(server);
    const rows = Array.from({ length: 40 }, () => aRowOf("anna"));
    const ids = rows.map(idOf);
    await Promise.all([...rows.map((row) => archive.writer.write([row])), erase(archive, ids), erase(archive, ids)]);
    await erase(archive, ids);
    await archive.writer.write(rows);
    expect(await countOf(archive, "verdicts")).toBe(0);
  });

  test("is remembered for as long as verdicts are kept, and by no name", async () => {
    const archive = await openArchive(server);
    const tombstones = [{ kind: "subject", hash: tombstoneHash("installation-key", anna) }] as const;
    await buryInArchive(archive.pool, { tenant: "0", erasedAt: NOON, tombstones });
    await maintainArchive(archive.pool, NOON + 89 * DAY_MS);
    const [row] = await archive.pool.query("SELECT * FROM assay.erasures");
    expect(row).toMatchObject({ kind: "subject", name: tombstones[0].hash });
    await maintainArchive(archive.pool, NOON + 91 * DAY_MS);
    expect(await countOf(archive, "erasures")).toBe(0);
  });
});
