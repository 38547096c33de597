import { readdirSync } from "node:fs";
import { inflateRawSync } from "node:zlib";
import { createAssayClient } from "@assay/client";
import { publishVerdicts, readArchiveBacklog } from "@assay/ledger";
import { loadRuleset } from "@assay/rules";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { accepted, aPublication, keeping } from "../ledger/builders.ts";
import { openArchiveStage } from "./archive-stage.ts";
import { aVerdictRow, connectArchive, countOf, DAY_MS } from "./open-archive.ts";

describe.skipIf(withoutPostgres)("a worker with an archive", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test("brings what it decides into Postgres, byte by byte, with the event and the place in the stream", async () => {
    const stage = await openArchiveStage(server);
    await stage.migrate();
    const worker = await stage.run({ ASSAY_WORKER_ROLES: "score,archive" });
    const [id = ""] = await stage.submit(1);
    await eventually(async () => (await stage.archived()).length === 1);
    const { redis, keys } = stage.stack;
    const [row] = await stage.rows(
      `SELECT v.body, stream_ms || '-' || stream_seq AS place, submission, e.body AS event
       FROM assay.verdicts v JOIN assay.events e USING (tenant, received_at, id)`,
    );
    expect(row?.["body"]).toBe(await redis.get(keys.verdict(id)));
    expect(row?.["place"]).toBe((await redis.xrange(keys.verdicts(), "-", "+"))[0]?.[0]);
    expect(JSON.parse(String(row?.["submission"]))).toEqual({ kind: "sealed" });
    const event: unknown = row?.["event"];
    expect(Buffer.isBuffer(event) && JSON.parse(inflateRawSync(event).toString())).toMatchObject({
      event_id: expect.any(String),
      identification: expect.anything(),
    });
    await eventually(async () => (await redis.xlen(keys.archive())) === 0);
    expect(await stage.readyz(worker)).toEqual({ status: 200, archive: "ok" });
    // The rulesets too.
    const written = 1 + (await countOf(connectArchive(stage.url), "rulesets"));
    expect(await stage.metric(worker, 'archive_rows_total{outcome="written"')).toBe(written);
    // An hour is enough where there is an archive.
    expect(await redis.pttl(keys.verdict(id))).toBeLessThanOrEqual(3_600_000);
  });

  test("brings outcomes into Postgres, told by whoever has Redis", async () => {
    const stage = await openArchiveStage(server);
    await stage.migrate();
    await stage.run({ ASSAY_WORKER_ROLES: "score,archive" });
    const [id = ""] = await stage.submit(1);
    await stage.stack.verdict(id);
    const { prefix, env } = stage.stack;
    const client = createAssayClient({ connection: env["REDIS_URL"] ?? "", prefix });
    try {
      await client.report({ submission_id: id, outcome: "chargeback", label: "fraud" });
    } finally {
      await client.close();
    }
    const told = "SELECT submission_id, outcome, label, told_at >= occurred_at AS later FROM assay.labels";
    const row = { submission_id: id, outcome: "chargeback", label: "fraud", later: true };
    await eventually(async () => expect(await stage.rows(told)).toEqual([row]));
  });

  test("keeps every ruleset that decides, once, so that it is loaded again as what it was", async () => {
    const stage = await openArchiveStage(server);
    await stage.migrate();
    await stage.run({ ASSAY_WORKER_ROLES: "score,archive" });
    await stage.score();
    const [id = ""] = await stage.submit(1);
    const { ruleset } = await stage.stack.verdict(id);
    const { reader, pool } = connectArchive(stage.url);
    const archived = await eventually(async () => (await reader.ruleset(ruleset.digest)) ?? false);
    const files = new Map(Object.entries(archived?.files ?? {}));
    const [[file = "", text = ""] = []] = files;
    expect(loadRuleset(text, { file, files })).toMatchObject(ruleset);
    await eventually(async () => (await stage.waiting()) === 0);
    const folder = new URL("../../../rulesets", import.meta.url);
    const names = readdirSync(folder).filter((name) => /^[^_].*\.yaml$/.test(name));
    expect(await pool.query("SELECT count(*)::int AS n FROM assay.rulesets")).toEqual([{ n: names.length }]);
  });

  test("decides on while Postgres is away, says so, and catches up", async () => {
    const stage = await openArchiveStage(server);
    await stage.migrate();
    const worker = await stage.run({ ASSAY_WORKER_ROLES: "score,archive" });
    const ids = await stage.submit(10);
    await eventually(async () => (await stage.archived()).length === 10);
    await server.kill("SIGKILL");
    ids.push(...(await stage.submit(150)));
    for (const id of ids) await stage.stack.verdict(id);
    await eventually(async () => expect((await stage.readyz(worker)).archive).toContain("cannot be used now"));
    expect((await stage.readyz(worker)).status).toBe(200);
    expect(await stage.metric(worker, 'archive_state{state="away"')).toBe(1);
    expect(await stage.waiting()).toBe(150);
    await server.restart();
    await eventually(async () => expect(await stage.archived()).toEqual(ids.toSorted()));
    await eventually(async () => (await stage.readyz(worker)).archive === "ok");
    expect(await stage.waiting()).toBe(0);
  });

  test("decides on while Postgres hangs, and stops though it does", async () => {
    const stage = await openArchiveStage(server);
    await stage.migrate();
    const worker = await stage.run({ ASSAY_WORKER_ROLES: "score,archive" });
    try {
      await server.kill("SIGSTOP");
      const ids = await stage.submit(20);
      for (const id of ids) await stage.stack.verdict(id);
      await eventually(async () => (await stage.readyz(worker)).archive !== "ok");
      await worker.stop();
      expect(await stage.waiting()).toBe(20);
    } finally {
      await server.kill("SIGCONT");
    }
    await stage.run();
    await eventually(async () => (await stage.archived()).length === 20);
  });

  test("says that the archive is not migrated, and takes it up as soon as it is", async () => {
    const stage = await openArchiveStage(server);
    const worker = await stage.run({ ASSAY_WORKER_ROLES: "score,archive" });
    const advice = { status: 200, archive: "The archive is not migrated. Run: assay migrate" };
    await eventually(async () => expect(await stage.readyz(worker)).toEqual(advice));
    const ids = await stage.submit(5);
    for (const id of ids) await stage.stack.verdict(id);
    expect(await stage.metric(worker, 'archive_state{state="unmigrated"')).toBe(1);
    await stage.migrate();
    await eventually(async () => expect(await stage.archived()).toEqual(ids.toSorted()));
    await eventually(async () => (await stage.readyz(worker)).archive === "ok");
  });

  test("says without any verdict that the archive is not migrated, and that it is", async () => {
    const stage = await openArchiveStage(server);
    const worker = await stage.run();
    await eventually(async () => expect((await stage.readyz(worker)).archive).toContain("assay migrate"));
    await stage.migrate();
    await eventually(async () => expect((await stage.readyz(worker)).archive).toBe("ok"));
  });

  test("lets the oldest go beyond the bound, counts them, and archives all others", async () => {
    const stage = await openArchiveStage(server, { ASSAY_ARCHIVE_BACKLOG_MAX_BYTES: `${1024 * 1024}` });
    await stage.migrate();
    const scoring = await stage.score();
    await stage.submit(700);
    await eventually(async () => (await stage.stack.published()).length === 700, { timeoutMs: 40_000 });
    const { redis, keys } = stage.stack;
    // The leader looks every ten seconds.
    const seen = async () => (await readArchiveBacklog(redis, keys)).dropped;
    await eventually(async () => expect(await stage.metric(scoring, "archive_dropped")).toBe(await seen()), {
      timeoutMs: 30_000,
    });
    const { entries, dropped, bytes } = await readArchiveBacklog(redis, keys);
    const latest = (await stage.stack.published()).slice(-(await stage.waiting())).map(({ id }) => id);
    expect(bytes).toBeLessThanOrEqual(1024 * 1024);
    expect(dropped).toBeGreaterThan(0);
    // Rulesets were among the oldest.
    expect(entries + dropped).toBeGreaterThan(700);
    expect(await stage.metric(scoring, "archive_backlog_ratio")).toBeGreaterThan(0.9);
    expect(await stage.metric(scoring, 'stream_lag{group="archive"')).toBe(entries);
    await stage.run();
    await eventually(async () => expect(await stage.archived()).toEqual(latest.toSorted()));
  });

  test("lays aside what Postgres refuses, and archives what came with it", async () => {
    const stage = await openArchiveStage(server);
    await stage.migrate();
    const { redis, keys, prefix } = stage.stack;
    const ledger = { redis, keys, prefix };
    for (const pinned of ["a", "\0", "b"]) {
      const now = { received_at: Date.now(), decided_at: Date.now() };
      const publication = aPublication(await accepted(ledger), { pinned }, now);
      await publishVerdicts(redis, keys, [publication], keeping(ledger, { archive: true }));
    }
    const worker = await stage.run();
    await eventually(async () => (await stage.waiting()) === 0);
    expect(await stage.archived()).toHaveLength(2);
    expect(await redis.xlen(keys.deadLetters("pipeline"))).toBe(1);
    await eventually(async () => (await stage.metric(worker, 'archive_rows_total{outcome="rejected"')) === 1);
  });

  test("makes the days to come, and drops those beyond their time, in one process an hour", async () => {
    const stage = await openArchiveStage(server, { ASSAY_RETENTION_DAYS: "2", ASSAY_EVENT_RETENTION_DAYS: "30" });
    await stage.migrate();
    const now = Date.now();
    const archive = connectArchive(stage.url);
    await archive.writer.write([1, 5].map((days) => aVerdictRow({ received_at: now - days * DAY_MS })));
    await stage.run();
    await eventually(async () => (await countOf(archive, "verdicts")) === 1);
    await eventually(async () => (await countOf(archive, "events")) === 1);
    const days = "SELECT count(*)::int AS n FROM pg_inherits WHERE inhparent = 'assay.verdicts'::regclass";
    await eventually(async () => expect(await stage.rows(days)).toEqual([{ n: 9 }]));
    await archive.writer.write([aVerdictRow({ received_at: now - 6 * DAY_MS })]);
    const second = await stage.run();
    await eventually(async () => (await stage.readyz(second)).archive === "ok");
    expect(await countOf(archive, "verdicts")).toBe(2);
  });
});

describe.skipIf(withoutPostgres)("archiving processes that are killed", () => {
  test("lose no verdict and archive none twice", async () => {
    const server = await startPostgres();
    try {
      const stage = await openArchiveStage(server);
      await stage.migrate();
      await stage.score();
      let [victim, next] = await Promise.all([stage.start(), stage.start()]);
      const ids: string[] = [];
      for (let round = 0; round < 3; round++) {
        const before = (await stage.archived()).length;
        const submitting = stage.submit(400);
        await eventually(async () => (await stage.archived()).length > before + 20, { timeoutMs: 30_000 });
        await victim.kill("SIGKILL");
        ids.push(...(await submitting));
        [victim, next] = [next, await stage.start()];
      }
      // What a killed process had in hand is another's after 12 s.
      await eventually(async () => expect(await stage.archived()).toEqual(ids.toSorted()), { timeoutMs: 60_000 });
      await eventually(async () => (await stage.waiting()) === 0, { timeoutMs: 60_000 });
      const { redis, keys } = stage.stack;
      for (const { id, body } of await stage.rows("SELECT id, body FROM assay.verdicts")) {
        expect(body).toBe(await redis.get(keys.verdict(String(id))));
      }
      expect(await redis.hget(keys.archiveBacklog(), "dropped")).toBeNull();
    } finally {
      await server.stop();
    }
  }, 180_000);
});
