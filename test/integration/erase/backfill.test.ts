import { createKeys } from "@assay/protocol";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { assay } from "../../support/assay-command.ts";
import { eventually } from "../../support/eventually.ts";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { openBackfillStage } from "../cli/backfill-stage.ts";
import { everyKey, everyRow, placesWith } from "./everything.ts";

describe.skipIf(withoutPostgres)("a backfill that is under way when somebody is erased", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test("brings no id of an erased event back", { timeout: 120_000 }, async () => {
    // A page a second: what is erased is among those that it remembers.
    const stage = await openBackfillStage(server, { rps: 2, burst: 1 });
    const { redis, prefix } = stage.stack;
    const mine = stage.identify(10, { linked_id: "linked-of-anna" });
    stage.identify(590);
    const keptAs = async () => JSON.stringify(await redis.hgetall(createKeys({ prefix }).backfill()));
    const run = await stage.start();
    await eventually(async () => (await stage.pending()).length >= 200, { timeoutMs: 30_000 });
    await run.kill("SIGSTOP");
    // Whoever is stopped is not ended by SIGTERM.
    onTestFinished(() => run.kill("SIGCONT"));
    const { stdout } = await assay(["erase", "--linked-id", "linked-of-anna", "--yes", "--json"], { env: stage.env });
    expect(JSON.parse(stdout)).toMatchObject({ redis: { submissions: 10 }, remaining: 0 });
    const before = await keptAs();
    await run.kill("SIGCONT");
    await eventually(async () => (await keptAs()) !== before, { timeoutMs: 30_000 });
    await run.kill("SIGSTOP");
    const held = [...(await everyKey(redis, prefix)), ...(await everyRow(stage.archive.pool))];
    expect(mine.flatMap(({ event_id: id }) => placesWith(held, id))).toEqual([]);
  });
});
