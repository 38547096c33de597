import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, type Env } from "@assay/host";
import { describe, expect, test } from "vitest";
import { loadConfig } from "./config.ts";

const ENOUGH = { REDIS_URL: "redis://redis:6379", ASSAY_INGRESS_KEYS: "shop:shop-secret" };

describe("loadConfig", () => {
  test("needs nothing but a Redis and a key", () => {
    expect(loadConfig(ENOUGH)).toMatchObject({
      redisUrl: "redis://redis:6379",
      prefix: "assay",
      durability: "local",
      surface: "all",
      port: 8080,
      adminPort: 9090,
      openapi: true,
      logLevel: "info",
    });
  });

  test("keeps no ingress secret", () => {
    const { credentials } = loadConfig(ENOUGH);
    expect(credentials.keys).toMatchObject([{ name: "shop" }]);
    expect(JSON.stringify(credentials)).not.toContain("shop-secret");
  });

  test("needs no key where only webhooks are served", () => {
    expect(loadConfig({ REDIS_URL: "redis://redis", ASSAY_SURFACE: "webhooks" }).credentials.keys).toEqual([]);
  });

  test("reads a secret from the file that is named", () => {
    const file = join(mkdtempSync(join(tmpdir(), "ingress-")), "keys");
    writeFileSync(file, "shop:one,shop:two\n");
    const config = loadConfig({ REDIS_URL: "redis://redis", ASSAY_INGRESS_KEYS_FILE: file });
    expect(config.credentials.keys.map(({ name }) => name)).toEqual(["shop", "shop"]);
    expect(config.credentialFiles).toMatchObject({ ASSAY_INGRESS_KEYS_FILE: file });
  });

  test("tells every fault at once, and no secret", () => {
    const faults = faultsOf({
      REDIS_URL: "http://user:hunter2@redis",
      ASSAY_INGRESS_KEYS: "Not A Name:hunter3",
      ASSAY_WEBHOOK_BASIC_AUTH: "hunter4",
      ASSAY_DURABILITY: "replica",
      ASSAY_REDIS_ASSERT: "noeviction,fsync",
      ASSAY_REDIS_MAX_BYTES: "lots",
      ASSAY_SURFACE: "everything",
      ASSAY_PREFIX: "{a}",
      ASSAY_OPENAPI: "yes",
      PORT: "70000",
      LOG_LEVEL: "loud",
      DATABASE_URL: "postgres://user:hunter5@db",
      ASSAY_KEYS_FILE: "/keys.yaml",
    });
    expect(faults.names.toSorted()).toEqual([
      "ASSAY_DURABILITY",
      "ASSAY_INGRESS_KEYS",
      "ASSAY_KEYS_FILE",
      "ASSAY_OPENAPI",
      "ASSAY_PREFIX",
      "ASSAY_REDIS_ASSERT",
      "ASSAY_REDIS_MAX_BYTES",
      "ASSAY_SURFACE",
      "ASSAY_WEBHOOK_BASIC_AUTH",
      "DATABASE_URL",
      "LOG_LEVEL",
      "PORT",
      "REDIS_URL",
    ]);
    expect(faults.message).not.toMatch(/hunter/);
  });

  test.each([
    ["a cluster", { REDIS_URL: "redis+cluster://redis:6379" }],
    ["Sentinel", { REDIS_URL: "redis+sentinel://redis:26379" }],
    ["durability replica", { ASSAY_DURABILITY: "replica" }],
    ["an archive", { DATABASE_URL: "postgres://db" }],
    ["a file of keys with roles", { ASSAY_KEYS_FILE: "/keys.yaml" }],
  ])("says that %s is not in this version", (_, env) => {
    expect(faultsOf({ ...ENOUGH, ...env }).message).toContain("not in this version");
  });

  test.each([
    ["REDIS_URL", { ASSAY_INGRESS_KEYS: "a:b" }],
    ["ASSAY_INGRESS_KEYS", { REDIS_URL: "redis://redis" }],
  ])("refuses to start without %s", (name, env) => {
    expect(faultsOf(env).names).toEqual([name]);
  });
});

function faultsOf(env: Env): { readonly names: string[]; readonly message: string } {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return { names: error.faults.map(({ name }) => name), message: error.message };
    throw error;
  }
  return { names: [], message: "" };
}
