import { randomUUID } from "node:crypto";
import { inflateRawSync } from "node:zlib";
import { type ArchiveRow, maintainArchive } from "@assay/archive";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { ask, startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { aVerdictRow, connectArchive, countOf, DAY_MS, idOf, NOON, openArchive } from "./open-archive.ts";

/** Whoever waits for a lock of another. */
const WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'";

const rowsOf = (count: number) => Array.from({ length: count }, (_, n) => aVerdictRow({ received_at: NOON + n }));

describe.skipIf(withoutPostgres)("createArchiveWriter", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test("keeps each row once, however often its batch is repeated", async () => {
    const archive = await openArchive(server);
    const rows = rowsOf(50);
    expect(await archive.writer.write([...rows, ...rows.slice(0, 5)])).toEqual({ inserted: 50, rejected: [] });
    expect(await archive.writer.write(rows)).toEqual({ inserted: 0, rejected: [] });
    expect([await countOf(archive, "verdicts"), await countOf(archive, "events")]).toEqual([50, 50]);
  });

  test("lets the first verdict of a key stand", async () => {
    const { writer, reader } = await openArchive(server);
    const first = aVerdictRow();
    const second = aVerdictRow({ id: idOf(first), action: "block" });
    await writer.write([first]);
    await writer.write([second]);
    expect(await reader.verdict({ tenant: "0", id: idOf(first) })).toMatchObject({ verdict: first.verdict });
  });

  test("lets writers with the same rows in hand wait for each other, and none fail", async () => {
    const archive = await openArchive(server);
    const rows = rowsOf(9);
    await archive.writer.write([aVerdictRow()]);
    const blocker = new Client({ connectionString: archive.url });
    await blocker.connect();
    // Each writer comes as far as the row in the middle, from its own end if it does not put its rows in order.
    const [middle] = rows.slice(4);
    const insert = "INSERT INTO assay.events (tenant, received_at, id, submission) VALUES ('0', $1, $2, '')";
    await blocker.query("BEGIN");
    await blocker.query(insert, [new Date(NOON + 4), idOf(middle ?? aVerdictRow())]);
    const writing = [rows, rows.toReversed()].map((batch) => connectArchive(archive.url).writer.write(batch));
    await eventually(async () => (await ask(archive.url, WAITING)).length === 2);
    await blocker.query("ROLLBACK");
    await blocker.end();
    const answers = await Promise.all(writing);
    expect(answers.map(({ inserted }) => inserted).toSorted((a, b) => a - b)).toEqual([0, 9]);
  });

  test.each([
    ["quotes and backslashes", 'a "quoted" \\ {back,slash}'],
    ["U+0000", "a\0b"],
    ["half a surrogate pair", "\ud800"],
    ["what is not ASCII", "Zoë 🦊"],
    ["a long text that hardly compresses", Array.from({ length: 999 }, () => randomUUID()).join("")],
  ])("keeps a verdict with %s byte by byte, and finds it by that", async (_, userId) => {
    const { writer, reader } = await openArchive(server);
    const row = aVerdictRow({
      context: { user_id: userId },
      reasons: [{ rule: userId, evidence: { bot: userId } }],
      linked_id: userId,
    });
    expect((await writer.write([row])).inserted).toBe(1);
    for (const by of [{ userId }, { rule: userId }, { linkedId: userId }]) {
      const { verdicts } = await reader.verdicts({ tenant: "0", ...by });
      expect(verdicts.map(({ verdict }) => verdict)).toEqual([row.verdict]);
    }
  });

  test("keeps what a verdict was made from: the submission, what was pinned, the event's own bytes", async () => {
    const { writer, reader } = await openArchive(server);
    const row = aVerdictRow({ event_id: "e1" });
    await writer.write([row, aVerdictRow({ event_id: "e1", received_at: NOON - 5 }, { event: new Uint8Array() })]);
    const found = await reader.verdict({ tenant: "0", id: idOf(row) });
    expect(found).toEqual({ id: idOf(row), receivedAt: NOON, verdict: row.verdict, pinned: row.pinned });
    const event = inflateRawSync(row.event ?? "").toString();
    const made = { submissionId: idOf(row), receivedAt: NOON, submission: row.submission, event };
    expect(await reader.madeFrom({ tenant: "0", id: idOf(row), receivedAt: NOON })).toEqual(made);
    expect(await reader.event({ tenant: "0", id: "e1" })).toEqual(made);
  });

  test.each<[string, (good: ArchiveRow) => ArchiveRow]>([
    ["is not JSON", (good) => ({ ...good, ...aVerdictRow({}, { verdict: '{"id":' }) })],
    ["is no object", () => aVerdictRow({}, { verdict: "null" })],
    ["has no action", () => aVerdictRow({}, { verdict: `{"id":"s_1","received_at":${NOON}}` })],
    ["was received in no year of ours", () => aVerdictRow({ received_at: 8.64e15 })],
    ["Postgres refuses", () => aVerdictRow({}, { pinned: "\0" })],
  ])("writes all but the one row that %s, and says which", async (_, spoil) => {
    const archive = await openArchive(server);
    const rows: ArchiveRow[] = rowsOf(20);
    rows[13] = spoil(aVerdictRow());
    const { inserted, rejected } = await archive.writer.write(rows);
    expect({ inserted, rejected }).toMatchObject({
      inserted: 19,
      rejected: [{ index: 13, error: { code: "archive_rejected" } }],
    });
    expect(await countOf(archive, "verdicts")).toBe(19);
  });

  test("says nothing of a row that it rejects but Postgres's code", async () => {
    const { writer } = await openArchive(server);
    const { rejected } = await writer.write([aVerdictRow({}, { pinned: "private\0" })]);
    const error = rejected[0]?.error;
    expect([error?.message, error?.cause]).toEqual(["Postgres refuses this row (22021).", undefined]);
  });

  test("makes the partition of a day that has none, also of one that was dropped since", async () => {
    const archive = await openArchive(server);
    const old = () => aVerdictRow({ received_at: NOON - 400 * DAY_MS });
    await archive.writer.write([old()]);
    expect((await maintainArchive(archive.pool, NOON)).dropped).toEqual(["verdicts_20251023", "events_20251023"]);
    expect(await archive.writer.write([old()])).toEqual({ inserted: 1, rejected: [] });
  });

  test("keeps rulesets by digest, labels by outcome, and the audit", async () => {
    const archive = await openArchive(server);
    const files = { "default.yaml": "ruleset: default # 'as it is'\n", "lists/qa.txt": "a\nb\n" };
    const ruleset = { digest: "d1", name: "default", engine: "assay-rules/1", files };
    const rows: ArchiveRow[] = [
      { type: "ruleset", ...ruleset, loadedAt: NOON },
      {
        type: "label",
        tenant: "0",
        id: "o_2",
        submissionId: "s_1",
        label: "fraud",
        occurredAt: NOON + 5,
        toldAt: NOON,
      },
      { type: "label", tenant: "0", id: "o_1", submissionId: "s_1", outcome: "paid", occurredAt: NOON, toldAt: NOON },
      { type: "label", tenant: "1", id: "o_1", submissionId: "s_1", outcome: "paid", occurredAt: NOON, toldAt: NOON },
      {
        type: "audit",
        tenant: "0",
        id: "1",
        at: NOON,
        actor: "ann",
        act: "ruleset.published",
        subject: "d1",
        detail: {},
      },
    ];
    expect(await archive.writer.write(rows)).toEqual({ inserted: 5, rejected: [] });
    expect(await archive.writer.write(rows)).toEqual({ inserted: 0, rejected: [] });
    expect(await archive.reader.ruleset("d1")).toEqual(ruleset);
    expect(await archive.reader.ruleset("d2")).toBeUndefined();
    expect(await archive.reader.labels({ tenant: "0", id: "s_1" })).toEqual([
      { id: "o_1", outcome: "paid", occurredAt: NOON },
      { id: "o_2", label: "fraud", occurredAt: NOON + 5 },
    ]);
    expect(await countOf(archive, "audit")).toBe(1);
  });

  test("writes nothing for an empty batch, and can be stopped twice", async () => {
    const { writer } = await openArchive(server);
    expect(await writer.write([])).toEqual({ inserted: 0, rejected: [] });
    await writer.stop();
    await writer.stop();
    await expect(writer.write([aVerdictRow()])).rejects.toMatchObject({ code: "archive_unavailable" });
  });
});

describe.skipIf(withoutPostgres)("createArchiveWriter, on a Postgres that suffers", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test("keeps each row once when Postgres is killed in the middle of the batch, and again after it", async () => {
    const archive = await openArchive(server);
    const label = { type: "label", tenant: "0", id: "o_1", submissionId: "s_1", outcome: "paid" } as const;
    const rows = [...rowsOf(100), { ...label, occurredAt: NOON, toldAt: NOON }];
    await archive.writer.write([aVerdictRow()]);
    const blocker = new Client({ connectionString: archive.url });
    blocker.on("error", () => undefined);
    await blocker.connect();
    await blocker.query("BEGIN; LOCK TABLE assay.labels");
    const cut = archive.writer.write(rows).catch((error: unknown) => error);
    // The verdicts are in, and the batch waits for the table of labels.
    await eventually(async () => (await ask(server.url, WAITING)).length === 1);
    await server.kill("SIGKILL");
    expect(await cut).toMatchObject({ code: "archive_unavailable" });
    await server.restart();
    expect(await countOf(archive, "verdicts")).toBe(1);
    expect(await archive.writer.write(rows)).toEqual({ inserted: 101, rejected: [] });
    await server.kill("SIGKILL");
    await server.restart();
    expect(await eventually(() => archive.writer.write(rows))).toEqual({ inserted: 0, rejected: [] });
    expect([await countOf(archive, "verdicts"), await countOf(archive, "labels")]).toEqual([101, 1]);
  });

  test("gives up on a Postgres that hangs, and goes on when it is back", async () => {
    const { url } = await openArchive(server);
    const { writer } = connectArchive(url, { timeoutMs: 300 });
    await writer.write([aVerdictRow()]);
    await server.kill("SIGSTOP");
    const rows = rowsOf(3);
    const hung = await writer.write(rows).catch((error: unknown) => error);
    await server.kill("SIGCONT");
    expect(hung).toMatchObject({ code: "archive_unavailable" });
    expect(await eventually(() => writer.write(rows))).toEqual({ inserted: 3, rejected: [] });
  });

  test("rejects no row because a server is read-only", async () => {
    const archive = await openArchive(server);
    await archive.writer.write([aVerdictRow()]);
    const name = new URL(archive.url).pathname.slice(1);
    await ask(server.url, `ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    const { writer } = connectArchive(archive.url);
    await expect(writer.write([aVerdictRow()])).rejects.toMatchObject({
      code: "archive_unavailable",
      sqlState: "25006",
    });
  });
});
