import { createAssayClient, type Trimmed } from "@assay/client";
import { encodePlace, streamEnd } from "@assay/ledger";
import { envelopeOf, type Verdict } from "@assay/protocol";
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { type Archive, aVerdictRow, idOf, openArchive } from "../archive/open-archive.ts";
import { type OpenIngress, SHOP_KEY, startIngress } from "./open-ingress.ts";
import { openStream } from "./open-stream.ts";

const LIMITS = { heartbeatMs: 50, maxBufferedBytes: 1024 * 1024 };

interface Stage {
  readonly door: OpenIngress;
  readonly archive: Archive;
  /** Publishes verdicts, archives them unless told otherwise, and returns their ids. */
  readonly publish: (count: number, over?: Partial<Verdict>, isArchived?: boolean) => Promise<string[]>;
  /** Leaves only the last few in the stream. */
  readonly leave: (count: number) => Promise<void>;
  /** What a caller that has come to the end would send as its last event id. */
  readonly place: () => Promise<string>;
}

describe.skipIf(withoutPostgres)("GET /v1/stream of an ingress with an archive", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  async function openStage(env: Record<string, string> = {}, limits = LIMITS): Promise<Stage> {
    const archive = await openArchive(server);
    const door = await startIngress(inject("redisUrl"), { DATABASE_URL: archive.url, ...env }, limits);
    onTestFinished(() => door.close());
    const { redis, keys } = door.installation;
    return {
      door,
      archive,
      async publish(count, over = {}, isArchived = true) {
        const now = Date.now();
        const rows = Array.from({ length: count }, () => aVerdictRow({ received_at: now, decided_at: now, ...over }));
        const pipeline = redis.pipeline();
        for (const { verdict } of rows) {
          pipeline.xadd(keys.verdicts(), "*", "e", JSON.stringify(envelopeOf(JSON.parse(verdict))));
        }
        const added = (await pipeline.exec()) ?? [];
        const published = rows.map((row, at) => ({ ...row, streamId: String(added[at]?.[1]) }));
        if (isArchived) await archive.writer.write(published);
        return rows.map(idOf);
      },
      leave: async (count) => void (await redis.xtrim(keys.verdicts(), "MAXLEN", count)),
      place: async () => encodePlace(await streamEnd(redis, keys)),
    };
  }

  test("brings what left the stream after the notice, in its order, then what is left and what comes", async () => {
    const { door, publish, leave, place } = await openStage();
    await publish(1);
    const last = await place();
    const ids = await publish(350);
    await leave(20);
    const stream = await openStream(door.baseUrl, "", { "last-event-id": last });
    await eventually(() => expect(stream.verdictIds()).toHaveLength(350));
    const [next] = await publish(1);
    await eventually(() => expect(stream.verdictIds()).toHaveLength(351));
    expect(stream.verdictIds()).toEqual([...ids, next]);
    expect(stream.events("stream.trimmed")).toMatchObject([
      { id: undefined, data: { data: { lost: 330, archive: "follows" } } },
    ]);
    const [first] = stream.events().filter(({ event }) => event !== undefined);
    expect(first?.event).toBe("stream.trimmed");
    expect(new Set(stream.events("verdict.decided").map(({ id }) => id)).size).toBe(351);
  });

  test("goes on behind any event that came from the archive", async () => {
    const { door, publish, leave, place } = await openStage();
    await publish(1);
    const last = await place();
    const ids = await publish(250);
    await leave(10);
    const first = await openStream(door.baseUrl, "", { "last-event-id": last });
    await eventually(() => expect(first.verdictIds()).toHaveLength(250));
    const id = first.events("verdict.decided")[122]?.id ?? "";
    const second = await openStream(door.baseUrl, "", { "last-event-id": id });
    await eventually(() => expect(second.verdictIds()).toHaveLength(127));
    expect(second.verdictIds()).toEqual(ids.slice(123));
  });

  test("filters what the archive has as it filters what comes", async () => {
    const { door, publish, leave, place } = await openStage();
    await publish(1);
    const last = await place();
    const [blocked] = await publish(1, { action: "block", context: { flow: "login" } });
    await publish(3, { action: "allow", context: { flow: "login" } });
    await publish(3, { action: "block", context: { flow: "pay" } });
    await leave(0);
    const stream = await openStream(door.baseUrl, "?action=block&flow=login", { "last-event-id": last });
    await eventually(() => expect(stream.verdictIds()).toEqual([blocked]));
    const [next] = await publish(1, { action: "block", context: { flow: "login" } });
    await eventually(() => expect(stream.verdictIds()).toEqual([blocked, next]));
  });

  test("says how many the archive has not got, once, and goes on behind them", async () => {
    const { door, publish, leave, place } = await openStage();
    await publish(1);
    const last = await place();
    await publish(2);
    await publish(3, {}, false);
    await leave(0);
    const stream = await openStream(door.baseUrl, "", { "last-event-id": last });
    await eventually(() => expect(stream.events("stream.trimmed")).toHaveLength(2));
    expect(stream.verdictIds()).toHaveLength(2);
    const [, missing] = stream.events("stream.trimmed");
    expect(missing?.data).toMatchObject({ data: { lost: 3, archive: "missing" } });
    const again = await openStream(door.baseUrl, "", { "last-event-id": missing?.id ?? "" });
    const [next] = await publish(1);
    await eventually(() => expect(again.verdictIds()).toEqual([next]));
    expect(again.events("stream.trimmed")).toEqual([]);
  });

  test("says that the archive is away, and goes on with what is left", async () => {
    const { door, publish, leave, place } = await openStage({ DATABASE_URL: "postgres://assay@127.0.0.1:1/assay" });
    await publish(1);
    const last = await place();
    const ids = await publish(5);
    await leave(2);
    const stream = await openStream(door.baseUrl, "", { "last-event-id": last });
    await eventually(() => expect(stream.verdictIds()).toEqual(ids.slice(3)));
    expect(stream.events("stream.trimmed")).toMatchObject([{ data: { data: { lost: 3, archive: "away" } } }]);
  });

  test("brings nothing of another tenant's", async () => {
    const { door, archive, publish, leave, place } = await openStage();
    await publish(1);
    const last = await place();
    const [mine] = await publish(1);
    const { redis, keys } = door.installation;
    const [[streamId] = [""]] = await redis.xrevrange(keys.verdicts(), "+", "-", "COUNT", 1);
    await archive.writer.write([aVerdictRow({}, { tenant: "other", streamId: `${streamId.split("-")[0]}-1` })]);
    await publish(1);
    await leave(0);
    const stream = await openStream(door.baseUrl, "", { "last-event-id": last });
    await eventually(() => expect(stream.verdictIds()).toHaveLength(2));
    expect(stream.verdictIds()[0]).toBe(mine);
  });

  test("closes a caller who reads nothing of the archive", async () => {
    // Less than one read of the archive brings.
    const { door, publish, leave, place } = await openStage({}, { ...LIMITS, maxBufferedBytes: 128 * 1024 });
    await publish(1);
    const last = await place();
    await publish(2000, { reasons: [{ rule: "padding", message: "x".repeat(4096), evidence: {} }] });
    await leave(0);
    const { port } = new URL(door.baseUrl);
    const stuck = connect({ port: Number(port), host: "127.0.0.1" });
    stuck.pause();
    const head = `Host: a\r\nLast-Event-ID: ${last}\r\nAuthorization: ${SHOP_KEY.authorization}\r\n\r\n`;
    stuck.write(`GET /v1/stream HTTP/1.1\r\n${head}`);
    await eventually(async () =>
      expect((await door.admin("/metrics")).text).toMatch(/assay_stream_closed_total\{reason="slow"[^}]*\} 1/),
    );
    stuck.resume();
    await once(stuck, "close");
  });

  test("tells also who comes again midway of what the archive has not got", async () => {
    const { door, publish, leave, place } = await openStage();
    await publish(1);
    const last = await place();
    await publish(3);
    await publish(2, {}, false);
    await publish(3);
    await leave(0);
    const first = await openStream(door.baseUrl, "", { "last-event-id": last });
    await eventually(() => expect(first.events("stream.trimmed")).toHaveLength(2));
    const ids = first.events("verdict.decided").map(({ id }) => id ?? "");
    expect(ids).toHaveLength(6);
    for (const id of ids) {
      const again = await openStream(door.baseUrl, "", { "last-event-id": id });
      const missing = { data: { data: { lost: 2, archive: "missing" } } };
      await eventually(() => expect(again.events("stream.trimmed").at(-1)).toMatchObject(missing));
      again.close();
    }
  });

  test("tells of what is not archived yet where nobody knows how many there were", async () => {
    const { door, archive, publish, leave, place } = await openStage();
    await publish(1);
    const last = await place();
    const ids = await publish(2);
    const [erased = ""] = await publish(1);
    const { redis, keys } = door.installation;
    const [entry] = await redis.xrevrange(keys.verdicts(), "+", "-", "COUNT", 1);
    await redis.xdel(keys.verdicts(), entry?.[0] ?? "");
    await archive.pool.query("DELETE FROM assay.verdicts WHERE id = $1", [erased]);
    await publish(2, {}, false);
    await leave(0);
    const stream = await openStream(door.baseUrl, "", { "last-event-id": last });
    await eventually(() => expect(stream.events("stream.trimmed")).toHaveLength(2));
    expect(stream.verdictIds()).toEqual(ids);
    expect(stream.events("stream.trimmed")[1]).toMatchObject({ data: { data: { archive: "missing" } } });
    await publish(1);
    const later = await openStream(door.baseUrl, "", { "last-event-id": last });
    await eventually(() => expect(later.verdictIds()).toHaveLength(3));
    expect(later.events("stream.trimmed")).toMatchObject([{ data: { data: { archive: "follows" } } }]);
  });

  test("tells of what one slow archiver has in hand, though the others are past it, where nobody knows how many", async () => {
    const { door, publish, leave, place } = await openStage();
    const { redis, keys } = door.installation;
    await publish(1);
    const last = await place();
    const [first] = await publish(1);
    await publish(1, {}, false);
    const [slow] = await redis.xrevrange(keys.verdicts(), "+", "-", "COUNT", 1);
    await redis.xadd(keys.archive(), slow?.[0] ?? "", "v", "in hand");
    await redis.xdel(keys.verdicts(), slow?.[0] ?? "");
    const [second] = await publish(1);
    await leave(0);
    await publish(1);
    const stream = await openStream(door.baseUrl, "", { "last-event-id": last });
    await eventually(() => expect(stream.verdictIds()).toHaveLength(3));
    expect(stream.verdictIds().slice(0, 2)).toEqual([first, second]);
    const told = stream.events("stream.trimmed").map(({ data }) => data);
    expect(told).toMatchObject([{ data: { archive: "follows" } }, { data: { archive: "missing" } }]);
  });

  test("is the same for subscribe and tail of the client, which need no more for it", async () => {
    const { door, publish, leave, place } = await openStage();
    await publish(1);
    const last = await place();
    const ids = await publish(120);
    await leave(5);
    const client = createAssayClient({ url: door.baseUrl, key: "shop-secret" });
    onTestFinished(() => client.close());
    const trimmed: Trimmed[] = [];
    const onTrimmed = (one: Trimmed) => trimmed.push(one);
    const subscribed: string[] = [];
    for await (const { verdict, ack } of client.subscribe({ group: "crm", after: last, onTrimmed })) {
      subscribed.push(verdict.id);
      await ack();
      if (subscribed.length === ids.length) break;
    }
    const tailed: string[] = [];
    for await (const { verdict } of client.tail({ from: last, onTrimmed })) {
      if (tailed.push(verdict.id) === ids.length) break;
    }
    expect(subscribed).toEqual(ids);
    expect(tailed).toEqual(ids);
    expect(trimmed).toMatchObject([{ lost: 115, archive: "follows" }, { archive: "follows" }]);
  });
});
