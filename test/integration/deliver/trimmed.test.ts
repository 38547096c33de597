import type { VerdictRow } from "@assay/archive";
import { tellArchive, tellEndpoints } from "@assay/ledger";
import { deliveryId, envelopeOf, type Verdict } from "@assay/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assay } from "../../support/assay-command.ts";
import { eventually } from "../../support/eventually.ts";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { openArchive } from "../archive/open-archive.ts";
import { anEntry, aVerdict, type DeliverStage, openDeliverStage } from "./stage.ts";

const webhookIds = ({ receiver }: DeliverStage) =>
  receiver.received("/orders").map(({ headers }) => String(headers["webhook-id"]));

const deliveriesOf = (ids: readonly string[]) => ids.map((id) => deliveryId("0", "orders", id)).toSorted();

const missed = async (stage: DeliverStage, worker: { adminPort: number }) =>
  await valueOf(stage, worker, "deliveries_missed_total");

async function valueOf(stage: DeliverStage, worker: { adminPort: number }, metric: string): Promise<number> {
  const pattern = new RegExp(`^assay_${metric}\\{[^}]*\\} (\\d+)`, "m");
  return Number(pattern.exec(await stage.metrics(worker))?.[1]);
}

/** Publishes verdicts, lets them leave the stream, and returns their ids and the rows that an archive has of them. */
async function publishAndTrim({ redis, keys }: DeliverStage, ...overs: readonly Partial<Verdict>[]) {
  const ids: string[] = [];
  const rows: VerdictRow[] = [];
  for (const over of overs) {
    const now = Date.now();
    const verdict = aVerdict({ received_at: now, decided_at: now, ...over });
    const streamId = (await redis.xadd(keys.verdicts(), "*", "e", JSON.stringify(envelopeOf(verdict)))) ?? "";
    ids.push(verdict.id);
    rows.push({
      type: "verdict",
      tenant: "0",
      verdict: JSON.stringify(verdict),
      pinned: "",
      submission: "{}",
      streamId,
    });
  }
  await redis.xtrim(keys.verdicts(), "MAXLEN", 0);
  return { ids, rows };
}

/** An endpoint that has one verdict, and that nobody delivers to any more. */
async function leftAlone(entry: object = {}): Promise<DeliverStage> {
  const stage = await openDeliverStage();
  await stage.endpoints([anEntry(stage.receiver, "orders", entry)]);
  const worker = await stage.run();
  await stage.publish({});
  await eventually(() => stage.receiver.received("/orders").length === 1);
  await worker.stop();
  return stage;
}

describe("verdicts that left the stream while nobody delivered", () => {
  let server: PrivatePostgres | undefined;
  beforeAll(async () => {
    if (!withoutPostgres) server = await startPostgres();
  });
  afterAll(() => server?.stop());

  async function anArchive() {
    if (server === undefined) throw new Error("There is no Postgres.");
    return await openArchive(server);
  }

  test.skipIf(withoutPostgres)(
    "are delivered from the archive, as the endpoint wants them, then what comes",
    async () => {
      const [stage, archive] = await Promise.all([leftAlone({ filter: `action == "block"` }), anArchive()]);
      const overs = Array.from({ length: 250 }, (_, n) => (n % 50 === 1 ? { action: "allow" as const } : {}));
      const { ids, rows } = await publishAndTrim(stage, ...overs, { late: true });
      await archive.writer.write(rows);
      const worker = await stage.run({ env: { DATABASE_URL: archive.url } });
      const [next = ""] = await stage.publish({});
      const wanted = [...ids.filter((_, n) => n < 250 && n % 50 !== 1), next];
      await eventually(() => webhookIds(stage).length === 1 + wanted.length, { timeoutMs: 30_000 });
      expect(webhookIds(stage).slice(1).toSorted()).toEqual(deliveriesOf(wanted));
      expect(await missed(stage, worker)).toBe(0);
    },
  );

  test.skipIf(withoutPostgres)(
    "are left to a worker that can read the archive, and sent by it, once, while the others deliver what comes",
    async () => {
      const [stage, archive] = await Promise.all([leftAlone(), anArchive()]);
      await tellArchive(stage.redis, stage.prefix, "0", 1024 * 1024);
      const { ids, rows } = await publishAndTrim(stage, ...Array.from({ length: 130 }, () => ({})));
      await archive.writer.write(rows);
      const without = await stage.run();
      const [next = ""] = await stage.publish({});
      await eventually(() => webhookIds(stage).length === 2);
      expect(webhookIds(stage).slice(1)).toEqual(deliveriesOf([next]));
      expect(await missed(stage, without)).toBe(0);
      expect(await valueOf(stage, without, "deliveries_left_total")).toBe(130);
      const told = stage.log.filter((line) => line.includes("which this process cannot read"));
      expect(told.map((line) => JSON.parse(line))).toMatchObject([{ level: "warn", lost: 130, archive: "waits" }]);
      const having = await stage.run({ env: { DATABASE_URL: archive.url } });
      const wanted = [next, ...ids];
      await eventually(() => webhookIds(stage).length > wanted.length, { timeoutMs: 30_000 });
      expect(webhookIds(stage).slice(1).toSorted()).toEqual(deliveriesOf(wanted));
      for (const worker of [without, having]) expect(await missed(stage, worker)).toBe(0);
    },
  );

  test.skipIf(withoutPostgres)("are replayed from the archive, and then those in the stream", async () => {
    const [stage, archive] = await Promise.all([leftAlone(), anArchive()]);
    const { ids, rows } = await publishAndTrim(stage, {}, {}, {});
    await archive.writer.write(rows);
    await stage.run({ env: { DATABASE_URL: archive.url } });
    ids.push(...(await stage.publish({})));
    await eventually(() => webhookIds(stage).length === 5);
    const since = ["endpoints", "replay", "orders", "--since", "1h", "--json"];
    const { stdout } = await assay(since, { env: stage.env });
    expect(JSON.parse(stdout)).toMatchObject({ from_archive: true });
    await eventually(() => webhookIds(stage).length >= 9);
    expect(webhookIds(stage).slice(1, 5).toSorted()).toEqual(deliveriesOf(ids));
    expect(webhookIds(stage).slice(5).toSorted()).toEqual(deliveriesOf(ids));
  });

  test.skipIf(withoutPostgres)("are replayed by a worker that can read the archive, if another cannot", async () => {
    const [stage, archive] = await Promise.all([leftAlone(), anArchive()]);
    await tellArchive(stage.redis, stage.prefix, "0", 1024 * 1024);
    const { ids, rows } = await publishAndTrim(stage, {}, {}, {});
    await archive.writer.write(rows);
    await stage.run();
    await tellEndpoints(stage.redis, stage.keys, [{ name: "orders", host: "a", hasArchive: true }]);
    const since = ["endpoints", "replay", "orders", "--since", "1h", "--json"];
    const { stdout } = await assay(since, { env: stage.env });
    expect(JSON.parse(stdout)).toMatchObject({ from_archive: true });
    await eventually(() => stage.log.some((line) => line.includes("a replay waits for a worker that delivers")));
    expect(webhookIds(stage)).toHaveLength(1);
    await stage.run({ env: { DATABASE_URL: archive.url } });
    const replayed = () => stage.log.filter((line) => line.includes("a replay has been put on its way"));
    await eventually(() => replayed().length === 1, { timeoutMs: 30_000 });
    expect(replayed().map((line) => JSON.parse(line))).toMatchObject([{ planned: 3 }]);
    await eventually(() => expect(new Set(webhookIds(stage).slice(1))).toEqual(new Set(deliveriesOf(ids))));
  });

  test.skipIf(withoutPostgres)("are replayed once the archive has them, however far it is behind", async () => {
    const [stage, archive] = await Promise.all([leftAlone(), anArchive()]);
    const { ids, rows } = await publishAndTrim(stage, {}, {}, {});
    await archive.writer.write(rows.slice(1));
    const waiting = await stage.redis.xadd(stage.keys.archive(), "*", "v", "the first");
    await stage.run({ env: { DATABASE_URL: archive.url } });
    ids.push(...(await stage.publish({})));
    await eventually(() => webhookIds(stage).length === 4);
    await assay(["endpoints", "replay", "orders", "--since", "1h"], { env: stage.env });
    await eventually(() => stage.log.some((line) => line.includes("a replay waits until the archive has all")));
    expect(webhookIds(stage)).toHaveLength(4);
    await archive.writer.write(rows);
    await stage.redis.xdel(stage.keys.archive(), waiting ?? "");
    await eventually(() => webhookIds(stage).length >= 8);
    expect(webhookIds(stage).slice(4).toSorted()).toEqual(deliveriesOf(ids));
  });

  test.each([
    ["without an archive", {}, undefined],
    ["while the archive is away", { DATABASE_URL: "postgres://assay@127.0.0.1:1/assay" }, "away"],
  ])("are counted and logged %s, and what comes is delivered", async (_, env, archive) => {
    const stage = await leftAlone();
    await publishAndTrim(stage, {}, {});
    const worker = await stage.run({ env });
    const [next = ""] = await stage.publish({});
    await eventually(() => webhookIds(stage).length === 2, { timeoutMs: 20_000 });
    expect(webhookIds(stage).slice(1)).toEqual(deliveriesOf([next]));
    expect(await missed(stage, worker)).toBe(2);
    const told = stage.log.filter((line) => line.includes("and are not sent")).map((line) => JSON.parse(line));
    expect(told).toMatchObject([{ level: "error", lost: 2, ...(archive === undefined ? {} : { archive }) }]);
  });
});
