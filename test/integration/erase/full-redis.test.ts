import { openInstallation } from "@assay/ledger";
import { afterAll, beforeAll, expect, test } from "vitest";
import { assay } from "../../support/assay-command.ts";
import type { PrivateRedis } from "../../support/private-redis.ts";
import { startRedis } from "../../support/redis-server.ts";
import { openLedger } from "../ledger/open-ledger.ts";

let server: PrivateRedis;
beforeAll(async () => {
  server = await startRedis({ config: { appendonly: "no" } });
});
afterAll(() => server.stop());

test("assay erase says of a Redis that takes no writes what it is, and nothing of whom it should erase", async () => {
  const { redis, prefix } = await openLedger(server.url);
  await openInstallation(redis, prefix, "ab".repeat(32));
  await redis.config("SET", "maxmemory", "1");
  const env = { REDIS_URL: server.url, ASSAY_PREFIX: prefix };
  const { exitCode, stderr } = await assay(["erase", "--user", "anna", "--yes"], { env });
  expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: expect.stringMatching(/OOM.*run it again/s) });
  expect(stderr).not.toContain("anna");
});
