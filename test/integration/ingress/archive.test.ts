import { randomUUID } from "node:crypto";
import { submissionId } from "@assay/protocol";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { type Archive, aVerdictRow, idOf, openArchive } from "../archive/open-archive.ts";
import { anEventId, aProblem, type OpenIngress, startIngress } from "./open-ingress.ts";

/** An ingress with an archive of its own. */
async function openDoor(server: PrivatePostgres): Promise<{ door: OpenIngress; archive: Archive }> {
  const archive = await openArchive(server);
  const door = await startIngress(inject("redisUrl"), { DATABASE_URL: archive.url });
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
});
