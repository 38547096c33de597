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
    expect(credentials.shortKeys).toMatchObject([{ name: "shop" }]);
    expect(JSON.stringify(credentials)).not.toContain("shop-secret");
  });

  test("needs no key where only webhooks are served", () => {
    expect(loadConfig({ REDIS_URL: "redis://redis", ASSAY_SURFACE: "webhooks" }).credentials.shortKeys).toEqual([]);
  });

  test("reads a secret from the file that is named", () => {
    const file = put("keys", "shop:one,shop:two\n");
    const config = loadConfig({ REDIS_URL: "redis://redis", ASSAY_INGRESS_KEYS_FILE: file });
    expect(config.credentials.shortKeys.map(({ name }) => name)).toEqual(["shop", "shop"]);
    expect(config.credentialFiles).toEqual([
      { source: { of: "short_keys" }, setting: "ASSAY_INGRESS_KEYS_FILE", path: file },
    ]);
  });

  test("reads where the archive is, also from a file", () => {
    const url = "postgres://assay:secret@db:5432/assay";
    expect(loadConfig({ ...ENOUGH, DATABASE_URL: url }).databaseUrl).toBe(url);
    expect(loadConfig({ ...ENOUGH, DATABASE_URL_FILE: put("url", `${url}\n`) }).databaseUrl).toBe(url);
    expect(loadConfig(ENOUGH).databaseUrl).toBeUndefined();
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
      DATABASE_URL: "mysql://user:hunter5@db",
      ASSAY_KEYS_FILE: "/nowhere.yaml",
      ASSAY_WEBHOOK_VERDICTS: "some",
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
      "ASSAY_WEBHOOK_VERDICTS",
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

describe("loadConfig, with tenants", () => {
  const HASH = "ab".repeat(32);
  const key = (more: object = {}) => ({ name: "shop", tenant: "eu", sha256: HASH, roles: ["submit"], ...more });

  /** Writes the files of a configuration of tenants and keys. */
  function envOf(tenants: object, keys: readonly object[]): Env {
    return {
      REDIS_URL: "redis://redis",
      ASSAY_TENANTS_FILE: put("tenants.json", JSON.stringify({ tenants })),
      ASSAY_KEYS_FILE: put("keys.json", JSON.stringify({ keys })),
    };
  }

  test("reads tenants, their webhooks and their keys", () => {
    const config = loadConfig({
      ...envOf({ eu: { webhook_secrets: ["one", "two"] }, us: { webhook_verdicts: "none" } }, [key()]),
      ASSAY_WEBHOOK_VERDICTS: "all",
    });
    expect(config.tenants).toEqual([
      { name: "eu", webhookVerdicts: "all" },
      { name: "us", webhookVerdicts: "none" },
    ]);
    expect([...config.credentials.webhooks]).toEqual([
      ["eu", { secrets: ["one", "two"] }],
      ["us", { secrets: [] }],
    ]);
    expect(config.credentials.keys).toMatchObject([{ tenant: "eu", name: "shop", roles: ["submit"] }]);
  });

  test("has the default tenant where ASSAY_INGRESS_KEYS has its keys", () => {
    const config = loadConfig({ ...envOf({ eu: {} }, [key()]), ASSAY_INGRESS_KEYS: "shop:secret" });
    expect(config.tenants.map(({ name }) => name)).toEqual(["eu", "0"]);
  });

  test("follows the files of every tenant's webhooks, and of the keys", () => {
    const secrets = put("secrets.txt", "one");
    const { credentialFiles } = loadConfig(envOf({ eu: { webhook_secrets_file: secrets } }, [key()]));
    expect(credentialFiles).toEqual([
      {
        source: { of: "webhook_secrets", tenant: "eu" },
        setting: "tenants.eu.webhook_secrets_file",
        path: secrets,
      },
      { source: { of: "keys" }, setting: "ASSAY_KEYS_FILE", path: expect.stringContaining("keys.json") },
    ]);
  });

  test.each<[string, object, readonly object[], RegExp]>([
    ["a key of a tenant that is not there", { us: {} }, [key()], /keys\[0\]: .*tenant eu, which is not there/],
    ["a secret of two owners", { eu: {}, us: {} }, [key(), key({ tenant: "us" })], /keys\[1\]: .*secret of eu\/shop/],
    ["a role that is none", { eu: {} }, [key({ roles: ["root"] })], /keys\[0\]\.roles\[0\]: must be one of/],
    ["test beside submit", { eu: {} }, [key({ roles: ["submit", "test"] })], /keys\[0\]: has test beside submit/],
    ["no key", { eu: {} }, [], /keys: holds no key/],
    [
      "a webhook secret of two tenants",
      { eu: { webhook_secrets: ["hunter2"] }, us: { webhook_secrets: ["hunter2"] } },
      [key()],
      /tenants\.us: has a webhook credential of the tenant eu/,
    ],
    [
      "verdicts that are none",
      { eu: { webhook_verdicts: "some" } },
      [key()],
      /tenants\.eu\.webhook_verdicts: Set tenants\.eu\.webhook_verdicts to one of all, none/,
    ],
    [
      "a password without a user",
      { eu: { webhook_basic_auth: "hunter2" } },
      [key()],
      /tenants\.eu\.webhook_basic_auth: It must be user:password/,
    ],
  ])("refuses %s, and repeats no secret", (_, tenants, keys, expected) => {
    const { message } = faultsOf(envOf(tenants, keys));
    expect(message).toMatch(expected);
    expect(message).not.toContain("hunter2");
  });
});

function put(name: string, text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "ingress-")), name);
  writeFileSync(file, text);
  return file;
}

function faultsOf(env: Env): { readonly names: string[]; readonly message: string } {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return { names: error.faults.map(({ name }) => name), message: error.message };
    throw error;
  }
  return { names: [], message: "" };
}
