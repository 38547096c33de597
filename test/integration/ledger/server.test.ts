import { checkServer, type Durability, readMemoryRatio, type ServerAssertion } from "@assay/ledger";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { PrivateRedis } from "../../support/private-redis.ts";
import { startRedis } from "../../support/redis-server.ts";
import { openConnection } from "./open-ledger.ts";

let server: PrivateRedis;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/** Sets the server up for one test. */
async function configured(settings: Readonly<Record<string, string>>) {
  const redis = await openConnection(server.url);
  for (const [name, value] of Object.entries(settings)) {
    const [, before] = await redis.config("GET", name);
    onTestFinished(async () => {
      const admin = await openConnection(server.url);
      await admin.config("SET", name, String(before));
    });
    await redis.config("SET", name, value);
  }
  return redis;
}

/** A connection to a server that bars CONFIG, as managed ones do. */
async function managed() {
  const admin = await openConnection(server.url);
  await admin.call("ACL", "SETUSER", "managed", "on", ">secret", "~*", "&*", "+@all", "-config");
  return openConnection(server.url.replace("redis://", "redis://managed:secret@"));
}

const asked = (durability: Durability, ...assertions: ServerAssertion[]) => ({ durability, assertions });

describe("checkServer", () => {
  test("finds nothing wrong with a server that syncs every write and never evicts", async () => {
    const redis = await configured({});
    expect(await checkServer(redis, asked("local"))).toEqual({ faults: [], warnings: [] });
  });

  test.each(["allkeys-lru", "volatile-ttl"])("refuses %s, and names the line to change", async (policy) => {
    const redis = await configured({ "maxmemory-policy": policy });
    const { faults } = await checkServer(redis, asked("memory"));
    expect(faults).toEqual([expect.stringContaining(`maxmemory-policy ${policy}`)]);
    expect(faults[0]).toContain("CONFIG SET maxmemory-policy noeviction");
  });

  test.each([
    { settings: { appendfsync: "everysec" }, told: "appendonly yes and appendfsync everysec" },
    { settings: { appendonly: "no" }, told: "appendonly no and appendfsync always" },
  ])("refuses durability local on a server with $told", async ({ settings, told }) => {
    const redis = await configured(settings);
    const { faults } = await checkServer(redis, asked("local"));
    expect(faults).toEqual([expect.stringContaining(told)]);
    expect(faults[0]).toContain("CONFIG SET appendfsync always");
    expect(faults[0]).toContain("ASSAY_DURABILITY=memory");
    expect(await checkServer(redis, asked("memory"))).toEqual({ faults: [], warnings: [] });
  });

  test("refuses durability local while a rewrite of the file suspends the sync", async () => {
    const redis = await configured({ "no-appendfsync-on-rewrite": "yes" });
    const { faults } = await checkServer(redis, asked("local"));
    expect(faults).toEqual([expect.stringContaining("CONFIG SET no-appendfsync-on-rewrite no")]);
  });

  test("does not let an assertion excuse what the server shows", async () => {
    const redis = await configured({ "maxmemory-policy": "allkeys-lfu", appendfsync: "no" });
    const { faults } = await checkServer(redis, asked("local", "noeviction", "appendfsync_always"));
    expect(faults).toHaveLength(2);
  });

  test("warns of a server without maxmemory", async () => {
    const redis = await configured({ maxmemory: "0" });
    const report = await checkServer(redis, asked("local"));
    expect(report.faults).toEqual([]);
    expect(report.warnings).toEqual([expect.stringContaining("ASSAY_REDIS_MAX_BYTES")]);
  });

  test("asks for the operator's word on what a managed server hides", async () => {
    const { faults, warnings } = await checkServer(await managed(), asked("local"));
    expect(faults).toEqual([
      expect.stringContaining("ASSAY_REDIS_ASSERT=noeviction"),
      expect.stringContaining("ASSAY_REDIS_ASSERT=appendfsync_always"),
    ]);
    expect(warnings).toEqual([]);
  });

  test.each([
    { durability: "local", assertions: ["noeviction", "appendfsync_always"] },
    { durability: "memory", assertions: ["noeviction"] },
  ] as const)("takes the operator's word for durability $durability", async (options) => {
    expect(await checkServer(await managed(), options)).toEqual({ faults: [], warnings: [] });
  });

  test("does not take a lost connection for a hidden setting", async () => {
    const redis = await openConnection(server.url);
    redis.disconnect();
    await expect(checkServer(redis, asked("memory", "noeviction"))).rejects.toThrow(/closed|writeable/);
  });
});

describe("readMemoryRatio", () => {
  test("compares what is used with maxmemory", async () => {
    const redis = await configured({ maxmemory: "1gb" });
    const ratio = await readMemoryRatio(redis, 1);
    expect(ratio).toBeGreaterThan(0);
    expect(ratio).toBeLessThan(0.5);
  });

  test("compares with the given bound where the server has none, and with nothing where nobody has", async () => {
    const redis = await configured({ maxmemory: "0" });
    expect(await readMemoryRatio(redis, 1)).toBeGreaterThan(1000);
    expect(await readMemoryRatio(redis)).toBeUndefined();
  });
});
