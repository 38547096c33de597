import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assay, assayBundle } from "../../support/assay-command.ts";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { everyKey, everyRow, placesWith } from "./everything.ts";
import { aPerson, namesOf } from "./person.ts";
import { openConnection } from "../ledger/open-ledger.ts";
import { openEraseStage } from "./stage.ts";

/** What changes Redis, by a script or without. */
const WRITES = new Set(["EVAL", "EVALSHA", "UNLINK", "XDEL", "ZREM", "LREM", "HDEL"]);

describe.skipIf(withoutPostgres)("assay erase that is killed midway", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test("leaves what the next run finds, wherever it was", async () => {
    const stage = await openEraseStage(server);
    const { redis, prefix } = stage.stack;
    const anna = aPerson("198.51.100.77");
    const worker = await stage.startWorker();
    await stage.know(anna);
    await worker.stop();
    const args = ["erase", "--user", anna.user, "--yes", "--json"];
    const bundle = await assayBundle();
    const monitor = await (await openConnection()).monitor();
    let onWrite = (): void => undefined;
    monitor.on("monitor", (_, command: string[], source: string) => {
      const isWrite = source !== "lua" && WRITES.has(command[0]?.toUpperCase() ?? "");
      if (isWrite && command.some((arg) => arg.startsWith(`${prefix}:`))) onWrite();
    });
    let kills = 0;
    // A few writes later each time, from the first one until a run comes to its end.
    for (let last = 1; ; last += 4) {
      const child = spawn(process.execPath, [bundle, ...args], { env: stage.env, stdio: "ignore" });
      let writes = 0;
      onWrite = () => void (++writes === last && child.kill("SIGKILL"));
      await once(child, "exit");
      if (child.signalCode === null) break;
      kills++;
    }
    monitor.disconnect();
    expect(kills).toBeGreaterThan(3);
    expect(JSON.parse((await assay(args, { env: stage.env })).stdout)).toMatchObject({ remaining: 0 });
    const held = [...(await everyKey(redis, prefix)), ...(await everyRow(stage.archive.pool))];
    expect(namesOf(anna).flatMap((name) => placesWith(held, name))).toEqual([]);
  });
});
