import type { ArchiveReader, VerdictFilter } from "@assay/archive";
import { ACTIONS, type Verdict } from "@assay/protocol";
import { assert, asyncProperty, constantFrom, integer, option } from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { aVerdictRow, DAY_MS, idOf, NOON, openArchive } from "./open-archive.ts";

const TENANT = { tenant: "0" };

/** The ids of all pages, in their order. */
async function idsOf(reader: ArchiveReader, filter: VerdictFilter): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await reader.verdicts({ ...filter, ...(cursor === undefined ? {} : { cursor }) });
    ids.push(...page.verdicts.map(({ id }) => id));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return ids;
}

const mine: Partial<Verdict> = {
  action: "block",
  context: { user_id: "ann", reference: "order-1" },
  visitor_id: "v1",
  linked_id: "l1",
  event_id: "e1",
  reasons: [
    { rule: "bad_bot", evidence: {} },
    { rule: "integrity.replayed", evidence: {} },
  ],
};

const filters: readonly Omit<VerdictFilter, "tenant">[] = [
  { userId: "ann" },
  { reference: "order-1" },
  { visitorId: "v1" },
  { linkedId: "l1" },
  { eventId: "e1" },
  { action: "block" },
  { rule: "bad_bot" },
  { rule: "integrity.replayed" },
  { since: NOON, until: NOON + 1 },
  { userId: "ann", action: "block", rule: "bad_bot", since: NOON - DAY_MS, until: NOON + DAY_MS },
];

describe.skipIf(withoutPostgres)("createArchiveReader", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test.each(filters)("finds the verdicts with %j, of its tenant alone", async (filter) => {
    const { writer, reader } = await openArchive(server);
    const found = aVerdictRow(mine);
    await writer.write([
      found,
      aVerdictRow(mine, { tenant: "1" }),
      aVerdictRow({ received_at: NOON - 1 }),
      aVerdictRow({ received_at: NOON + 1, action: "review", context: { user_id: "bob" } }),
    ]);
    expect(await idsOf(reader, { ...TENANT, ...filter })).toEqual([idOf(found)]);
  });

  test("finds nothing where all that is asked for is true of no one verdict", async () => {
    const { writer, reader } = await openArchive(server);
    await writer.write([aVerdictRow(mine)]);
    expect(await reader.verdicts({ ...TENANT, userId: "ann", action: "allow" })).toEqual({ verdicts: [] });
    expect(await reader.verdicts({ ...TENANT, until: NOON })).toEqual({ verdicts: [] });
  });

  test("shows on its pages, one after the other, every verdict that matches, once, newest first", async () => {
    const { writer, reader } = await openArchive(server);
    // Many share a millisecond, and they lie in 20 weeks.
    const rows = Array.from({ length: 300 }, (_, n) =>
      aVerdictRow({
        received_at: NOON - (n % 40) * 3.5 * DAY_MS,
        action: ACTIONS[n % ACTIONS.length] ?? "allow",
        context: { user_id: `user-${n % 3}` },
      }),
    );
    await writer.write(rows);
    const all = rows.map((row): Verdict => JSON.parse(row.verdict));
    await assert(
      asyncProperty(
        integer({ min: 1, max: 120 }),
        option(constantFrom("user-0", "user-1", "nobody"), { nil: undefined }),
        option(constantFrom(...ACTIONS), { nil: undefined }),
        integer({ min: 0, max: 150 }),
        integer({ min: 0, max: 150 }),
        async (limit, userId, action, youngest, oldest) => {
          const [since, until] = [NOON - oldest * DAY_MS, NOON - youngest * DAY_MS];
          const expected = all
            .filter(
              (one) =>
                one.received_at >= since &&
                one.received_at < until &&
                (userId === undefined || one.context?.user_id === userId) &&
                (action === undefined || one.action === action),
            )
            .toSorted((a, b) => b.received_at - a.received_at || (a.id < b.id ? 1 : -1));
          const filter = { ...TENANT, since, until, limit, ...(userId && { userId }), ...(action && { action }) };
          expect(await idsOf(reader, filter)).toEqual(expected.map(({ id }) => id));
        },
      ),
      { numRuns: 60 },
    );
    const page = await reader.verdicts({ ...TENANT, limit: 5000 });
    expect(page.verdicts).toHaveLength(100);
  });

  test("has no next page behind the last verdict", async () => {
    const { writer, reader } = await openArchive(server);
    await writer.write([aVerdictRow(), aVerdictRow()]);
    expect(await reader.verdicts({ ...TENANT, limit: 2 })).not.toHaveProperty("cursor");
  });

  test.each(["", "x", Buffer.from("2 1 s_1").toString("base64url"), Buffer.from("1 x s_1").toString("base64url")])(
    "refuses the cursor %j",
    async (cursor) => {
      const { reader } = await openArchive(server);
      await expect(reader.verdicts({ ...TENANT, cursor })).rejects.toMatchObject({ code: "cursor_invalid" });
    },
  );

  test("finds the latest verdict of an id, and the latest event of an event id, however long ago", async () => {
    const { writer, reader } = await openArchive(server);
    const id = idOf(aVerdictRow());
    const [old, older] = [80, 81].map((days) => aVerdictRow({ id, event_id: "e1", received_at: NOON - days * DAY_MS }));
    const { event: _, ...undecided } = aVerdictRow({ event_id: "e1", undecided: { code: "no_key_opens" } });
    await writer.write([...[old, older].flatMap((row) => row ?? []), undecided, aVerdictRow()]);
    expect(await reader.verdict({ ...TENANT, id })).toMatchObject({ id, receivedAt: NOON - 80 * DAY_MS });
    expect(await reader.event({ ...TENANT, id: "e1" })).toMatchObject({ submissionId: id, event: '{"event_id":"e1"}' });
    const unknown = { tenant: "1", id };
    expect([await reader.verdict(unknown), await reader.event({ tenant: "1", id: "e1" })]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test("tells which events a verdict was made on, however long ago, of its tenant alone", async () => {
    const { writer, reader } = await openArchive(server);
    const long = `e${"x".repeat(300)}`;
    await writer.write([
      aVerdictRow({ event_id: "today" }),
      aVerdictRow({ event_id: "today", kind: "webhook" }),
      aVerdictRow({
        event_id: "old",
        received_at: NOON - 80 * DAY_MS,
        kind: "webhook",
        undecided: { code: "too_large" },
      }),
      aVerdictRow({ event_id: long, received_at: NOON - 8 * DAY_MS }),
      aVerdictRow({ event_id: "theirs" }, { tenant: "1" }),
    ]);
    for (const kind of ["lookup", "sealed"] as const) {
      await writer.write([aVerdictRow({ kind, event_id: "never", undecided: { code: "lookup_unavailable" } })]);
    }
    const known = await reader.knownEvents({ ...TENANT, eventIds: ["old", "never", "today", "theirs", long] });
    expect(known).toEqual(new Set(["today", "old", long]));
    expect(await reader.knownEvents({ ...TENANT, eventIds: [] })).toEqual(new Set());
  });

  test("says that Postgres does not answer, and can be stopped twice", async () => {
    const { reader } = await openArchive(server);
    await reader.stop();
    await reader.stop();
    await expect(reader.verdicts(TENANT)).rejects.toMatchObject({ code: "archive_unavailable" });
  });
});
