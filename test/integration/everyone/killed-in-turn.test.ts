import { deliveryId, isRecord, type Verdict } from "@assay/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { ENDPOINTS, openStage, PARTS, type Stage } from "./stage.ts";

const COUNT = 80;
const PATIENCE = { timeoutMs: 60_000 };

describe.skipIf(withoutPostgres)("an installation whose processes are killed in turn under load", () => {
  let postgres: PrivatePostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  test("brings what it accepted to the stream, the subscriber, the archive and each endpoint, alike everywhere", async () => {
    const stage = await openStage(postgres);
    const { keys, redis, receiver } = stage;
    const accepted: string[] = [];
    for (const part of PARTS) {
      const submitting = stage.submit(COUNT);
      // The part dies with work in hand: some of this round has gone through, and the rest has not.
      const before = await redis.xlen(keys.verdicts());
      await eventually(async () => (await redis.xlen(keys.verdicts())) > before + 5, PATIENCE);
      await stage.replace(part);
      accepted.push(...(await submitting));
    }
    const ids = accepted.toSorted();
    expect(new Set(ids).size).toBe(PARTS.length * COUNT);

    await eventually(async () => (await redis.xlen(keys.verdicts())) >= ids.length, PATIENCE);
    const bodies = await streamed(stage);
    expect([...bodies.keys()].toSorted()).toEqual(ids);
    expect(await redis.xlen(keys.verdicts())).toBe(ids.length);

    await eventually(async () => (await redis.xlen(keys.archive())) === 0, PATIENCE);
    const rows = await stage.archive.pool.query<{ id: string; body: string }>("SELECT id, body FROM assay.verdicts");
    expect(rows.map(({ id }) => id).toSorted()).toEqual(ids);
    expect(rows.filter(({ id, body }) => body !== bodies.get(id))).toEqual([]);

    await eventually(() => new Set(stage.subscribed()).size >= ids.length, PATIENCE);
    const subscribed = new Map([...new Set(stage.subscribed())].map((json) => [idOf(json), json]));
    expect([...subscribed.keys()].toSorted()).toEqual(ids);
    expect([...subscribed].filter(([id, json]) => json !== bodies.get(id))).toEqual([]);

    for (const name of Object.keys(ENDPOINTS)) {
      const wanted = ids.map((id) => deliveryId("0", name, id)).toSorted();
      const received = () => receiver.received(`/${name}`);
      await eventually(
        () => new Set(received().map(({ headers }) => headers["webhook-id"])).size >= ids.length,
        PATIENCE,
      );
      const sent = new Set(received().map(({ headers, body }) => `${String(headers["webhook-id"])} ${body}`));
      // One body for each id, however often it came.
      expect([...sent].map((text) => text.slice(0, text.indexOf(" "))).toSorted()).toEqual(wanted);
    }
    const full = receiver.received("/all").map(({ body }) => dataOf(body));
    expect(full.filter((verdict) => JSON.stringify(verdict) !== bodies.get(verdict.id))).toEqual([]);
  }, 240_000);
});

/** Every verdict of the stream, byte by byte, by its id. */
async function streamed({ redis, keys }: Stage): Promise<Map<string, string>> {
  const entries = await redis.xrange(keys.verdicts(), "-", "+");
  return new Map(
    entries.map(([, fields]) => {
      const envelope = fields[1] ?? "";
      // The envelope holds the verdict as it was published, last.
      const body = envelope.slice(envelope.indexOf(',"data":') + ',"data":'.length, -1);
      return [idOf(body), body];
    }),
  );
}

function idOf(json: string): string {
  const verdict: Verdict = JSON.parse(json);
  return verdict.id;
}

function dataOf(body: string): Verdict {
  const envelope: unknown = JSON.parse(body);
  if (!isRecord(envelope)) throw new TypeError("A webhook brought no envelope.");
  const verdict: Verdict = JSON.parse(JSON.stringify(envelope["data"]));
  return verdict;
}
