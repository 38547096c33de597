import { randomUUID } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { submissionId, type Verdict } from "@assay/protocol";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { type Archive, aVerdictRow, idOf, NOON, openArchive } from "../archive/open-archive.ts";
import { keysFile } from "../tenants/tenant-files.ts";
import { anEventId, aProblem, type OpenIngress, startIngress } from "./open-ingress.ts";

const KEYS = {
  ASSAY_KEYS_FILE: keysFile([{ tenant: "0", name: "desk", secret: "desk-secret", roles: ["read", "read_personal"] }]),
};

/** An ingress with an archive of its own. */
async function openDoor(server: PrivatePostgres): Promise<{ door: OpenIngress; archive: Archive }> {
  const archive = await openArchive(server);
  const door = await startIngress(inject("redisUrl"), { ...KEYS, DATABASE_URL: archive.url });
  onTestFinished(() => door.close());
  return { door, archive };
}

async function timed<Result>(work: Promise<Result>): Promise<{ answer: Result; ms: number }> {
  const startedAt = performance.now();
  const answer = await work;
  return { answer, ms: performance.now() - startedAt };
}

/** A verdict that was decided, and that Redis no longer has. */
async function expired(door: OpenIngress): Promise<string> {
  const key = randomUUID();
  await door.submit({ event_id: anEventId() }, { key });
  await door.decideAll();
  const id = submissionId("0", "shop", key);
  const { redis, keys } = door.installation;
  await redis.del(keys.verdict(id));
  return id;
}

describe.skipIf(withoutPostgres)("an ingress with an archive", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test("gives a verdict that Redis has forgotten, byte by byte", async () => {
    const { door, archive } = await openDoor(server);
    const row = aVerdictRow();
    await archive.writer.write([row]);
    expect(await door.read(`/v1/verdicts/${idOf(row)}`)).toMatchObject({ status: 200, text: row.verdict });
    const id = await expired(door);
    expect(await door.read(`/v1/verdicts/${id}`)).toEqual(aProblem(410, "verdict_expired", { id }));
    const kept = aVerdictRow({ id });
    await archive.writer.write([kept]);
    expect(await door.read(`/v1/verdicts/${id}`)).toMatchObject({ status: 200, text: kept.verdict });
  });

  test("answers as without one where the archive does not know the verdict either", async () => {
    const { door } = await openDoor(server);
    const unknown = submissionId("0", "shop", randomUUID());
    expect(await door.read(`/v1/verdicts/${unknown}`)).toEqual(aProblem(404, "submission_not_found"));
  });

  test("suffers in nothing else while Postgres hangs, and stops in time", async () => {
    const own = await startPostgres();
    onTestFinished(() => own.stop());
    const { door, archive } = await openDoor(own);
    const id = await expired(door);
    // Connections that are open hang otherwise than new ones.
    await door.read(`/v1/verdicts/${id}`);
    await archive.pool.stop();
    await own.kill("SIGSTOP");
    const reads = Array.from({ length: 20 }, () => timed(door.read(`/v1/verdicts/${id}`)));
    for (let n = 0; n < 20; n++) {
      const { answer, ms } = await timed(door.submit({ event_id: anEventId() }));
      expect([answer.status, ms < 1000]).toEqual([202, true]);
    }
    expect(await door.admin("/livez")).toMatchObject({ status: 200 });
    expect(await door.admin("/readyz")).toMatchObject({ status: 200 });
    for (const { answer, ms } of await Promise.all(reads)) {
      expect(answer).toEqual(aProblem(503, "archive_unavailable", { retryable: true }));
      expect(ms).toBeLessThan(6000);
    }
    const { ms } = await timed(door.ingress.stop());
    await own.kill("SIGCONT");
    expect(ms).toBeLessThan(5000);
  });

  test("says 503 while Postgres is away, and reads again when it is back", async () => {
    const own = await startPostgres();
    onTestFinished(() => own.stop());
    const { door, archive } = await openDoor(own);
    const row = aVerdictRow();
    await archive.writer.write([row]);
    await own.kill("SIGKILL");
    const answer = await door.read(`/v1/verdicts/${idOf(row)}`);
    expect(answer).toEqual(aProblem(503, "archive_unavailable"));
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(door.log.join("")).toContain("the archive could not be read");
    await own.restart();
    expect(await door.read(`/v1/verdicts/${idOf(row)}`)).toMatchObject({ status: 200 });
  });

  test.each([
    ["user_id=ann"],
    ["reference=order-1"],
    ["visitor_id=v1"],
    ["linked_id=l1"],
    ["event_id=e1"],
    ["action=block"],
    ["rule=bad_bot"],
    ["since=2026-11-27T12:00:00Z&until=2026-11-27T12:00:00.001Z"],
    [`since=${NOON}&until=${NOON + 1}`],
    ["user_id=ann&reference=order-1&visitor_id=v1&action=block&rule=bad_bot&since=2026-11-27&until=2026-11-28"],
  ])("finds the verdicts with %s, of its tenant alone", async (query) => {
    const { door, archive } = await openDoor(server);
    const mine: Partial<Verdict> = {
      action: "block",
      context: { user_id: "ann", reference: "order-1" },
      visitor_id: "v1",
      linked_id: "l1",
      event_id: "e1",
      reasons: [{ rule: "bad_bot", evidence: {} }],
    };
    const found = aVerdictRow(mine);
    const other = aVerdictRow({ action: "allow", received_at: NOON - 1 });
    await archive.writer.write([found, other, aVerdictRow(mine, { tenant: "1" })]);
    const answer = await door.read(`/v1/verdicts?${query}`);
    expect(answer).toMatchObject({ status: 200, type: "application/json", text: `{"verdicts":[${found.verdict}]}` });
  });

  test("turns pages, newest first, until the last", async () => {
    const { door, archive } = await openDoor(server);
    const rows = Array.from({ length: 5 }, (_, n) => aVerdictRow({ received_at: NOON - n }));
    await archive.writer.write(rows);
    const read: string[] = [];
    let cursor = "";
    do {
      const { text } = await door.read(`/v1/verdicts?limit=2${cursor}`);
      const page: { verdicts: Verdict[]; cursor?: string } = JSON.parse(text);
      read.push(...page.verdicts.map(({ id }) => id));
      cursor = page.cursor === undefined ? "" : `&cursor=${encodeURIComponent(page.cursor)}`;
    } while (cursor !== "");
    expect(read).toEqual(rows.map(idOf));
  });

  test("gives the latest of what an event brought, to whoever may read what is personal", async () => {
    const { door, archive } = await openDoor(server);
    const eventId = anEventId();
    const event = JSON.stringify({ event_id: eventId, timestamp: NOON, ip_address: "203.0.113.7" });
    const submission = JSON.stringify({ kind: "sealed", context: { ip: "203.0.113.7", facts: { age: 3 } } });
    const before = aVerdictRow({ event_id: eventId, received_at: NOON - 1 });
    const row = aVerdictRow({ event_id: eventId }, { submission, event: deflateRawSync(event) });
    await archive.writer.write([row, before]);
    const asDesk = { headers: { authorization: "Bearer desk-secret" } };
    expect(await door.request(`/v1/events/${eventId}`, asDesk)).toMatchObject({
      status: 200,
      text: `{"id":"${idOf(row)}","received_at":${NOON},"submission":${submission},"event":${event}}`,
    });
    expect(await door.read(`/v1/events/${eventId}`)).toEqual(aProblem(403, "forbidden"));
    for (const unknown of [anEventId(), "a%20b"]) {
      expect(await door.request(`/v1/events/${unknown}`, asDesk)).toEqual(aProblem(404, "not_found"));
    }
  });

  test.each([
    ["user=ann", "unknown_field", "user", /not known here/],
    ["userid=ann", "unknown_field", "userid", /Did you mean user_id/],
    ["action=deny", "invalid_field", "action", /allow, challenge, review, block/],
    ["since=yesterday", "invalid_field", "since", /unix milliseconds, or an ISO time/],
    ["until=1700000000", "invalid_field", "until", /unix milliseconds, or an ISO time/],
    ["limit=0", "invalid_field", "limit", /from 1 to 100/],
    ["limit=1000", "invalid_field", "limit", /from 1 to 100/],
    ["user_id=", "invalid_field", "user_id", /1 to 256/],
    ["user_id=ann&user_id=bob", "invalid_field", "user_id", /given once/],
    ["cursor=none", "invalid_field", "cursor", /came with a page/],
  ])("refuses %s as %s", async (query, code, field, detail) => {
    const { door } = await openDoor(server);
    const answer = await door.read(`/v1/verdicts?${query}`);
    expect(answer).toEqual(aProblem(400, code, { field, detail: expect.stringMatching(detail) }));
  });
});

describe("an ingress without an archive", () => {
  test.each(["/v1/verdicts", "/v1/events/e1"])("says so at %s", async (path) => {
    const door = await startIngress(inject("redisUrl"), KEYS);
    onTestFinished(() => door.close());
    const answer = await door.request(path, { headers: { authorization: "Bearer desk-secret" } });
    expect(answer).toEqual(aProblem(501, "archive_not_configured", { retryable: false }));
  });
});
