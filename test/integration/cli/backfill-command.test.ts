import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signWebhook } from "@assay/fingerprint";
import { webhookId } from "@assay/protocol";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { assay } from "../../support/assay-command.ts";
import { anAddress, anEvent } from "../../support/events.ts";
import { eventually } from "../../support/eventually.ts";
import { createDatabase, startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { startRedis } from "../../support/redis-server.ts";
import { openWebhookReceiver } from "../../support/webhook-receiver.ts";
import { anEntry } from "../deliver/stage.ts";
import { startIngress, WEBHOOK_SECRETS } from "../ingress/open-ingress.ts";
import { backfillIds, idsOf, openBackfillStage } from "./backfill-stage.ts";

const NOTHING_ELSE = { pending: 0, erased: 0, duplicates: 0, unreadable: {} };

describe.skipIf(withoutPostgres)("assay backfill", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test("finds all events of lost webhooks, exactly those, and submits each once", { timeout: 120_000 }, async () => {
    // It is emptied below.
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const stage = await openBackfillStage(server, { redisUrl: redis.url });
    const { stack } = stage;
    await stack.runWorker();
    const ingress = await startIngress(redis.url, { ASSAY_PREFIX: stack.prefix });
    onTestFinished(() => ingress.close());
    const events = stage.identify(1000);
    // Every twentieth webhook is lost.
    const lost = events.filter((_, n) => n % 20 === 7);
    const told = events.filter((event) => !lost.includes(event));
    for (let from = 0; from < told.length; from += 50) {
      await Promise.all(
        told.slice(from, from + 50).map(async (event) => {
          const body = JSON.stringify(event);
          const headers = { "fpjs-event-signature": signWebhook(Buffer.from(body), WEBHOOK_SECRETS[0]) };
          const { status } = await ingress.request("/v1/webhooks/fingerprint", { method: "POST", headers, body });
          expect(status).toBe(202);
        }),
      );
    }
    await eventually(async () => (await stack.published()).length === told.length, { timeoutMs: 30_000 });
    await stage.archiveAll();
    const before = await stage.backfill("--dry-run");
    expect(before).toMatchObject({
      exitCode: 0,
      counts: { dry_run: true, seen: 1000, known: 950, missing: 50, submitted: 0, ...NOTHING_ELSE },
    });
    expect((await stack.published()).length + (await stage.pending()).length).toBe(950);

    expect((await stage.backfill()).counts).toMatchObject({ seen: 1000, known: 950, submitted: 50, ...NOTHING_ELSE });
    await eventually(async () => (await stack.published()).length === 1000, { timeoutMs: 30_000 });
    const all = await stack.published();
    expect(idsOf(all.filter(({ kind }) => kind === "backfill"))).toEqual(backfillIds(lost));
    expect(new Set(all.map(({ event_id: id }) => id)).size).toBe(1000);

    // They are in Redis, and then in the archive: never submitted again.
    expect((await stage.backfill()).counts).toMatchObject({ seen: 1000, known: 950, pending: 50, submitted: 0 });
    await stage.archiveAll();
    await stack.redis.flushdb();
    await stack.runWorker();
    expect((await stage.backfill()).counts).toMatchObject({ seen: 1000, known: 1000, submitted: 0, ...NOTHING_ELSE });
    expect(await stack.published()).toEqual([]);
  });

  test("submits nothing that was erased, though no webhook of it ever came", { timeout: 120_000 }, async () => {
    const stage = await openBackfillStage(server);
    const { stack } = stage;
    const gone = stage.identify(3, { identification: { visitor_id: "erasedVisitor" } });
    const others = stage.identify(2);
    const erasing = await assay(["erase", "--visitor", "erasedVisitor", "--yes"], { env: stage.env });
    expect(erasing).toMatchObject({ exitCode: 0 });
    const dry = await stage.backfill("--dry-run");
    expect(dry.counts).toMatchObject({ seen: 5, erased: 3, missing: 2 });
    expect((await stage.backfill()).counts).toMatchObject({ ...NOTHING_ELSE, seen: 5, erased: 3, submitted: 2 });
    expect((await stage.pending()).toSorted()).toEqual(backfillIds(others));
    const keys = await stack.redis.keys(`${stack.prefix}:*`);
    expect(keys.filter((key) => gone.some(({ event_id: id }) => key.includes(id)))).toEqual([]);
  });

  test("goes on after it was killed, ends in the same set, and counts all of it", { timeout: 120_000 }, async () => {
    // A page takes about 200 ms, as only every second turn is taken.
    const stage = await openBackfillStage(server, { rps: 10, burst: 1 });
    const events = stage.identify(800);
    for (const reached of [150, 450]) {
      const run = await stage.start();
      await eventually(async () => (await stage.pending()).length >= reached, { timeoutMs: 30_000 });
      await run.kill("SIGKILL");
    }
    expect((await stage.pending()).length).toBeLessThan(800);
    const { counts } = await stage.backfill();
    expect(counts).toMatchObject({ resumed: true, seen: 800, known: 0, submitted: 800, ...NOTHING_ELSE });
    expect((await stage.pending()).toSorted()).toEqual(backfillIds(events));
    // It asked for no page twice but those that it was killed over.
    expect(stage.stack.api.calls.filter(({ isSearch }) => isSearch === true).length).toBeLessThanOrEqual(9 + 2 * 2);
    expect((await stage.backfill()).counts).toMatchObject({ resumed: false, seen: 800, pending: 800, submitted: 0 });
  });

  test("runs once at a time for a tenant", { timeout: 120_000 }, async () => {
    const stage = await openBackfillStage(server, { rps: 2, burst: 1 });
    stage.identify(1500);
    const first = await stage.start();
    await eventually(async () => (await stage.pending()).length > 0, { timeoutMs: 30_000 });
    const second = await stage.backfill();
    expect([second.exitCode, second.counts]).toEqual([
      3,
      { error: expect.stringContaining("Another backfill of this tenant is under way") },
    ]);
    await first.stop();
  });

  test(
    "begins anew where it is told to, and never submits what it submitted before",
    { timeout: 120_000 },
    async () => {
      const stage = await openBackfillStage(server, { rps: 10, burst: 1 });
      stage.identify(300);
      const run = await stage.start();
      await eventually(async () => (await stage.pending()).length >= 100, { timeoutMs: 30_000 });
      await run.kill("SIGKILL");
      const there = (await stage.pending()).length;
      const { counts } = await stage.backfill("--restart");
      expect(counts).toMatchObject({ resumed: false, seen: 300, pending: there, submitted: 300 - there });
      expect((await stage.pending()).length).toBe(300);
    },
  );

  test("hands in no faster than the background is worked off", { timeout: 120_000 }, async () => {
    const stage = await openBackfillStage(server);
    const { stack } = stage;
    stage.identify(1300);
    const running = stage.backfill();
    const searches = () => stack.api.calls.filter(({ isSearch }) => isSearch === true).length;
    // It has read the page after those that there was room for.
    await eventually(() => searches() === 11, { timeoutMs: 30_000 });
    // That takes a while, in which all others could have been handed in.
    expect((await stage.backfill("--dry-run")).counts).toMatchObject({ seen: 1300, pending: 1000, missing: 300 });
    expect((await stage.pending()).length).toBe(1000);
    await stack.runWorker();
    expect((await running).counts).toMatchObject({ seen: 1300, submitted: 1300, ...NOTHING_ELSE });
    expect(searches()).toBe(2 * 13);
  });

  test("waits for an archive that is away, and loses and doubles nothing", async () => {
    const stage = await openBackfillStage(server, { rps: 10, burst: 1 });
    const events = stage.identify(600);
    const running = stage.backfill();
    await eventually(async () => (await stage.pending()).length >= 200, { timeoutMs: 30_000 });
    await server.kill("SIGKILL");
    await server.restart();
    expect((await running).counts).toMatchObject({ seen: 600, submitted: 600, ...NOTHING_ELSE });
    expect((await stage.pending()).toSorted()).toEqual(backfillIds(events));
  });

  test(
    "keeps to the rate of the API key together with lookups, and starves none of them",
    { timeout: 120_000 },
    async () => {
      const [rps, burst] = [5, 5];
      const stage = await openBackfillStage(server, { rps, burst });
      const { stack } = stage;
      await stack.runWorker();
      stage.identify(3000);
      // It searches as ever, and waits for nothing else.
      const running = stage.backfill("--dry-run");
      const logins = Array.from({ length: 40 }, () => anEvent());
      for (const event of logins) stack.api.add(event);
      const ids = await Promise.all(
        logins.map(({ event_id: eventId }, n) =>
          stack.submitLookup(eventId, { awaited: n % 2 === 0, context: { ip: anAddress() } }),
        ),
      );
      const verdicts = await Promise.all(ids.map((id) => stack.verdict(id, { timeoutMs: 40_000 })));
      expect(verdicts.map(({ event_source: source }) => source)).toEqual(ids.map(() => "lookup"));
      expect((await running).counts).toMatchObject({ seen: 3000, missing: 3000, ...NOTHING_ELSE });
      const times = stack.api.calls.map(({ at }) => at);
      expect(times).toHaveLength(40 + 30);
      for (const [first, from] of times.entries()) {
        // Two more for requests that were on their way when the time began.
        for (const [more, to] of times.slice(first).entries())
          expect(more + 1).toBeLessThanOrEqual(burst + (rps * (to - from)) / 1000 + 2);
      }
    },
  );

  test("makes verdicts that consumers see, that go to who asked for them, and that move no counter", async () => {
    const folder = mkdtempSync(join(tmpdir(), "assay-backfill-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(
      join(folder, "default.yaml"),
      `ruleset: default
counters: { seen: { key: identification.visitor_id, window: 1h } }
rules: [{ id: seen_often, when: counters.seen >= 1, score: 1 }]
`,
    );
    const receiver = await openWebhookReceiver();
    onTestFinished(() => receiver.stop());
    const endpoints = join(mkdtempSync(join(tmpdir(), "assay-backfill-")), "endpoints.yaml");
    const entries = [anEntry(receiver, "orders"), anEntry(receiver, "desk", { backfilled: true })];
    writeFileSync(endpoints, JSON.stringify({ endpoints: entries }));
    const stage = await openBackfillStage(server, {
      env: { ASSAY_RULESETS: folder, ASSAY_ENDPOINTS_FILE: endpoints, ASSAY_ENDPOINTS_ALLOW: "127.0.0.0/8" },
    });
    const { stack } = stage;
    await stack.runWorker();
    // From then on what is decided is delivered.
    await eventually(async () => Array.isArray(await stack.redis.xinfo("GROUPS", stack.keys.verdicts())));
    const identification = { visitor_id: "TaMMlWVmHSgkE8zfQJpJ", visitor_found: true };
    const [early, lost, late] = stage.identify(3, { identification });
    if (early === undefined || lost === undefined || late === undefined) throw new Error("There must be three.");
    for (const event of [early, late]) {
      await stack.submitWebhook(event);
      await stack.verdict(webhookId("0", event.event_id));
    }
    // One of now, which has nothing to do with the hour of the others.
    const now = anEvent({ identification });
    await stack.submitWebhook(now);
    await stack.verdict(webhookId("0", now.event_id));
    const counters = await stack.redis.keys(`${stack.prefix}:*:n:*`);
    const members = () => Promise.all(counters.map((key) => stack.redis.zrange(key, 0, "-1", "WITHSCORES")));
    const before = await members();
    expect(before.map((each) => each.length)).toEqual([6]);

    const startedAt = Date.now();
    expect((await stage.backfill()).counts).toMatchObject({ seen: 3, pending: 2, submitted: 1 });
    const [id = ""] = backfillIds([lost]);
    const verdict = await stack.verdict(id);
    expect(verdict).toMatchObject({
      kind: "backfill",
      event_id: lost.event_id,
      event_time: lost.timestamp,
      // The one before it, and neither the one behind it nor the one of now.
      reasons: [{ rule: "seen_often", evidence: { "counters.seen": 1 } }],
    });
    expect(verdict.checks).not.toHaveProperty("stale");
    expect(verdict.received_at).toBeGreaterThan(startedAt - 1000);
    expect((await stack.published()).at(-1)?.id).toBe(id);
    expect(await members()).toEqual(before);
    // At least once: a webhook may come twice.
    const distinct = (path: string) =>
      new Set(receiver.received(path).map(({ headers }) => headers["webhook-id"])).size;
    await eventually(() => distinct("/desk") === 4 && distinct("/orders") === 3, { timeoutMs: 30_000 });
    expect(receiver.received("/desk").some(({ body }) => body.includes(id))).toBe(true);
    expect(receiver.received("/orders").filter(({ body }) => body.includes(id))).toEqual([]);
  });

  test("counts what is no event that can be read, and goes on through faults of the vendor", async () => {
    const stage = await openBackfillStage(server);
    const { api } = stage.stack;
    stage.identify(250);
    stage.identify(1, { event_id: "no event id!" });
    api.misbehave({ kind: "throttled", as: "json" });
    api.misbehave({ kind: "failing", status: 503 });
    const { counts } = await stage.backfill();
    expect(counts).toMatchObject({ seen: 251, submitted: 250, unreadable: { invalid_event_id: 1 } });
  });

  test("stops where the vendor refuses the key, and goes on from there", async () => {
    const stage = await openBackfillStage(server);
    stage.identify(120);
    stage.stack.api.misbehave({ kind: "forbidden", code: "wrong_region" });
    const { exitCode, counts } = await stage.backfill();
    expect([exitCode, counts["error"]]).toEqual([
      3,
      expect.stringMatching(/wrong_region.*ASSAY_FINGERPRINT_REGION.*kept/),
    ]);
    expect((await stage.backfill()).counts).toMatchObject({ seen: 120, submitted: 120 });
  });

  test("says what its environment lacks, and submits nothing", async () => {
    const stage = await openBackfillStage(server);
    const { env } = stage;
    stage.identify(1);
    const { DATABASE_URL: _, ...withoutArchive } = env;
    const { ASSAY_FINGERPRINT_API_KEYS: __, ...withoutKeys } = env;
    const said = async (over: Record<string, string>, ...args: string[]) => {
      const { exitCode, stderr } = await assay(["backfill", "--since", "1d", ...args], { env: over });
      return [exitCode, stderr];
    };
    expect(await said(withoutArchive)).toEqual([2, expect.stringContaining("Set DATABASE_URL")]);
    expect(await said(withoutKeys)).toEqual([2, expect.stringContaining("ASSAY_FINGERPRINT_API_KEYS")]);
    expect(await said({ ...env, REDIS_URL: "" })).toEqual([2, expect.stringContaining("REDIS_URL")]);
    expect(await said(env, "--tenant", "shop")).toEqual([2, expect.stringContaining("There is no tenant shop")]);
    expect(await said(env, "--until", "2d")).toEqual([2, expect.stringContaining("does not lie before the end")]);
    const empty = { ...env, DATABASE_URL: await createDatabase(server) };
    expect(await said(empty)).toEqual([3, expect.stringContaining("Run: assay migrate")]);
    const elsewhere = { ...env, ASSAY_PREFIX: "nobody" };
    expect(await said(elsewhere)).toEqual([3, expect.stringContaining("no Assay under the prefix")]);
    expect(await stage.pending()).toEqual([]);
  });
});
