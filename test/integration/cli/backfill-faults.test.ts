import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { assay } from "../../support/assay-command.ts";
import { eventually } from "../../support/eventually.ts";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { openRedisWay } from "../../support/redis-way.ts";
import { startRedis } from "../../support/redis-server.ts";
import { backfillIds, openBackfillStage } from "./backfill-stage.ts";

const NOTHING_ELSE = { known: 0, pending: 0, erased: 0, duplicates: 0, unreadable: {} };

describe.skipIf(withoutPostgres)("assay backfill, when Redis fails", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test(
    "waits for a Redis that was killed, and loses, doubles and miscounts nothing",
    { timeout: 120_000 },
    async () => {
      const redis = await startRedis();
      onTestFinished(() => redis.stop());
      const stage = await openBackfillStage(server, { rps: 10, burst: 1, redisUrl: redis.url });
      const events = stage.identify(900);
      const running = stage.backfill();
      for (const reached of [150, 350, 550]) {
        await eventually(async () => (await stage.pending()).length >= reached, { timeoutMs: 30_000 });
        await redis.kill("SIGKILL");
        await redis.restart();
      }
      const { exitCode, counts } = await running;
      expect([exitCode, counts]).toMatchObject([0, { resumed: false, seen: 900, submitted: 900, ...NOTHING_ELSE }]);
      expect((await stage.pending()).toSorted()).toEqual(backfillIds(events));
      expect((await stage.backfill("--dry-run")).counts).toMatchObject({ seen: 900, pending: 900, missing: 0 });
    },
  );

  test("counts as submitted what Redis took when its answer was cut off", { timeout: 60_000 }, async () => {
    const stage = await openBackfillStage(server, { rps: 20, burst: 1 });
    const events = stage.identify(250);
    const [id = ""] = backfillIds(events.slice(120, 121));
    const redisUrl = await withoutAnswerTo(id, inject("redisUrl"));
    const env = { ...stage.env, REDIS_URL: redisUrl };
    const { exitCode, stdout } = await assay(["backfill", "--json", "--since", "1d"], { env });
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { seen: 250, submitted: 250, ...NOTHING_ELSE }]);
    expect((await stage.pending()).toSorted()).toEqual(backfillIds(events));
  });
});

/** The address of a Redis whose first answer to whoever hands this id in never comes: the connection breaks instead. */
async function withoutAnswerTo(id: string, redisUrl: string): Promise<string> {
  let hasCut = false;
  return await openRedisWay(redisUrl, ({ client, redis }) => {
    let asked = "";
    let isNext = false;
    client.on("data", (chunk: Buffer) => {
      asked = `${asked.slice(-1000)}${chunk.toString("latin1")}`;
      isNext ||= asked.includes(`\r\n${id}\r\n`);
      redis.write(chunk);
    });
    redis.on("data", (chunk: Buffer) => {
      if (!isNext || hasCut) client.write(chunk);
      else {
        hasCut = true;
        client.destroy();
      }
    });
  });
}
