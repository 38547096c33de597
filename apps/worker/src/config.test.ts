import { randomBytes } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ConfigError, type Env } from "@assay/host";
import { describe, expect, test } from "vitest";
import { loadConfig } from "./config.ts";

const ENOUGH = { REDIS_URL: "redis://redis" };
const SEALED_KEY = randomBytes(32).toString("base64");

function tenantsFile(tenants: object): string {
  const file = join(mkdtempSync(join(tmpdir(), "worker-config-")), "tenants.json");
  writeFileSync(file, JSON.stringify({ tenants }));
  return file;
}

/** A file with one endpoint, or with what is given. */
function endpointsFile(over: object = {}): string {
  const file = join(mkdtempSync(join(tmpdir(), "worker-config-")), "endpoints.yaml");
  const secrets = [`whsec_${randomBytes(32).toString("base64")}`];
  const entry = { name: "orders", url: "https://example.com", secrets, ...over };
  writeFileSync(file, JSON.stringify({ endpoints: [entry] }));
  return file;
}

describe("loadConfig, roles", () => {
  test("scores alone, unless there is a file of endpoints", () => {
    expect(loadConfig(ENOUGH)).toMatchObject({ roles: ["score"] });
    expect(loadConfig(ENOUGH).deliver).toBeUndefined();
  });

  test("delivers too where there is one", () => {
    const path = endpointsFile();
    const { roles, deliver } = loadConfig({ ...ENOUGH, ASSAY_ENDPOINTS_FILE: path });
    expect(roles).toEqual(["score", "deliver"]);
    expect(deliver).toMatchObject({ path, endpoints: [{ name: "orders", tenant: "0" }], allowed: [] });
  });

  test.each([
    ["score", undefined],
    ["deliver", "orders"],
  ])("is %s alone where it is told so", (role, endpoint) => {
    const env = { ...ENOUGH, ASSAY_ENDPOINTS_FILE: endpointsFile(), ASSAY_WORKER_ROLES: role };
    const { roles, deliver } = loadConfig(env);
    expect([roles, deliver?.endpoints[0]?.name]).toEqual([[role], endpoint]);
  });

  test.each<[Env, string]>([
    [{ ASSAY_WORKER_ROLES: "deliver" }, "ASSAY_WORKER_ROLES: has deliver, and ASSAY_ENDPOINTS_FILE is not set."],
    [{ ASSAY_WORKER_ROLES: "score,archive" }, "ASSAY_WORKER_ROLES: has archive, and DATABASE_URL is not set."],
    [{ ASSAY_WORKER_ROLES: "score,reap" }, "ASSAY_WORKER_ROLES: must be of score, deliver, archive."],
    [{ ASSAY_WORKER_ROLES: "," }, "ASSAY_WORKER_ROLES: names no role"],
    [{ ASSAY_ENDPOINTS_ALLOW: "10.0.0.1" }, "ASSAY_ENDPOINTS_ALLOW: must be a comma list of blocks"],
    [{ ASSAY_ENDPOINTS_FILE: "/nowhere" }, `ASSAY_ENDPOINTS_FILE: "/nowhere" cannot be read`],
  ])("refuses %j", (env, expected) => {
    expect(() => loadConfig({ ...ENOUGH, ...env })).toThrow(expected);
  });

  test("tells every fault of the file once, and repeats no secret", () => {
    const env = { ASSAY_WORKER_ROLES: "deliver", ASSAY_ENDPOINTS_FILE: endpointsFile({ secrets: ["hunter2"] }) };
    const load = () => loadConfig({ ...ENOUGH, ...env });
    expect(load).toThrow("ASSAY_ENDPOINTS_FILE, endpoints[0].secrets[0]: must be whsec_ and");
    expect(load).toThrow(expect.objectContaining({ faults: [expect.anything()] }));
    expect(load).toThrow(expect.objectContaining({ message: expect.not.stringContaining("hunter2") }));
  });
});

describe("loadConfig, archive", () => {
  const ARCHIVED = { ...ENOUGH, DATABASE_URL: "postgres://assay:hunter2@db/assay" };

  test("is off without a database, and every verdict is kept for a day", () => {
    const config = loadConfig(ENOUGH);
    expect(config).toMatchObject({ verdictTtlMs: 86_400_000, maxArchiveBytes: 128 * 1024 * 1024 });
    expect(config.archive).toBeUndefined();
  });

  test("is one of the roles where there is a database, and a verdict is kept for an hour", () => {
    expect(loadConfig(ARCHIVED)).toMatchObject({
      roles: ["score", "archive"],
      archive: { databaseUrl: ARCHIVED.DATABASE_URL, retentionDays: 90, eventRetentionDays: 30 },
      verdictTtlMs: 3_600_000,
    });
    expect(loadConfig({ ...ARCHIVED, ASSAY_VERDICT_TTL_SECONDS: "60" }).verdictTtlMs).toBe(60_000);
    expect(loadConfig({ ...ARCHIVED, ASSAY_ENDPOINTS_FILE: endpointsFile() }).roles).toEqual([
      "score",
      "deliver",
      "archive",
    ]);
  });

  test("is known to a worker that only decides", () => {
    const config = loadConfig({ ...ARCHIVED, ASSAY_WORKER_ROLES: "score" });
    expect(config).toMatchObject({ roles: ["score"], archive: { databaseUrl: ARCHIVED.DATABASE_URL } });
  });

  test("keeps no event longer than its verdict", () => {
    const { archive } = loadConfig({ ...ARCHIVED, ASSAY_RETENTION_DAYS: "7", ASSAY_EVENT_RETENTION_DAYS: "8" });
    expect(archive).toMatchObject({ retentionDays: 7, eventRetentionDays: 7 });
  });

  test("takes its database from a file", () => {
    const file = join(mkdtempSync(join(tmpdir(), "worker-config-")), "url");
    writeFileSync(file, `${ARCHIVED.DATABASE_URL}\n`);
    expect(loadConfig({ ...ENOUGH, DATABASE_URL_FILE: file }).archive?.databaseUrl).toBe(ARCHIVED.DATABASE_URL);
  });

  test.each<[Env, string]>([
    [{ DATABASE_URL: "mysql://assay:hunter2@db" }, "DATABASE_URL: is no postgres:// address."],
    [{ ASSAY_RETENTION_DAYS: "0" }, "ASSAY_RETENTION_DAYS: Set"],
    [{ ASSAY_EVENT_RETENTION_DAYS: "5000" }, "ASSAY_EVENT_RETENTION_DAYS: Set"],
    [{ ASSAY_ARCHIVE_BACKLOG_MAX_BYTES: "1000" }, "ASSAY_ARCHIVE_BACKLOG_MAX_BYTES: Set"],
  ])("refuses %j, and repeats no secret", (env, expected) => {
    const load = () => loadConfig({ ...ARCHIVED, ...env });
    expect(load).toThrow(expected);
    expect(load).toThrow(expect.objectContaining({ message: expect.not.stringContaining("hunter2") }));
  });
});

describe("loadConfig", () => {
  test("has one tenant that needs nothing but a Redis", () => {
    expect(loadConfig(ENOUGH).tenants).toEqual([{ name: "0", rulesetsFolder: expect.stringMatching(/rulesets$/) }]);
  });

  test("describes that tenant by its variables", () => {
    const { tenants } = loadConfig({
      ...ENOUGH,
      ASSAY_SEALED_KEYS: SEALED_KEY,
      ASSAY_FINGERPRINT_API_KEYS: "new, old,new",
      ASSAY_FINGERPRINT_REGION: "eu",
      ASSAY_RULESETS: "/rulesets",
    });
    expect(tenants).toEqual([
      {
        name: "0",
        sealedKeys: SEALED_KEY,
        lookups: { apiKeys: ["new", "old"], region: "eu", rps: 5, burst: 15 },
        rulesetsFolder: "/rulesets",
      },
    ]);
  });

  test("describes others by the file, and gives them nobody else's settings", () => {
    const file = tenantsFile({
      eu: {
        sealed_keys: [SEALED_KEY],
        fingerprint: { api_keys: ["a", "b"], region: "eu", api_url: "https://eu.example", rps: 2, burst: 4 },
        rulesets: "eu",
      },
      us: {},
    });
    const { tenants } = loadConfig({
      ...ENOUGH,
      ASSAY_TENANTS_FILE: file,
      ASSAY_FINGERPRINT_API_KEYS: "c",
      ASSAY_RULESETS: "/all",
    });
    expect(tenants).toEqual([
      {
        name: "eu",
        sealedKeys: SEALED_KEY,
        lookups: { apiKeys: ["a", "b"], region: "eu", apiUrl: "https://eu.example", rps: 2, burst: 4 },
        rulesetsFolder: join(dirname(file), "eu"),
      },
      { name: "us", rulesetsFolder: "/all" },
      { name: "0", lookups: { apiKeys: ["c"], region: "us", rps: 5, burst: 15 }, rulesetsFolder: "/all" },
    ]);
  });

  test.each<[string, object, Env, RegExp]>([
    [
      "a sealed key that is none",
      { eu: { sealed_keys: ["hunter2"] } },
      {},
      /tenants\.eu\.sealed_keys: Sealed key 1 of 1/,
    ],
    [
      "an API key of two tenants",
      { eu: { fingerprint: { api_keys: ["hunter2"] } }, us: { fingerprint: { api_keys: ["x", "hunter2"] } } },
      {},
      /tenants\.us\.fingerprint\.api_keys: has a key of the tenant eu/,
    ],
    [
      "the default tenant's API key",
      { eu: { fingerprint: { api_keys: ["hunter2"] } } },
      { ASSAY_FINGERPRINT_API_KEYS: "hunter2" },
      /ASSAY_FINGERPRINT_API_KEYS: has a key of the tenant eu/,
    ],
    [
      "a ruleset id that is none",
      { eu: { fingerprint: { ruleset_id: "a b" } } },
      {},
      /tenants\.eu\.fingerprint\.ruleset_id: Set/,
    ],
    [
      "an address that is none",
      { eu: { fingerprint: { api_url: "ftp://x" } } },
      {},
      /tenants\.eu\.fingerprint\.api_url: Set/,
    ],
    [
      "a burst that is none",
      { eu: { fingerprint: { burst: 0 } } },
      {},
      /tenants\.eu\.fingerprint\.burst: Set .* of at least 1/,
    ],
  ])("refuses %s, and repeats no secret", (_, tenants, env, expected) => {
    const load = () => loadConfig({ ...ENOUGH, ASSAY_TENANTS_FILE: tenantsFile(tenants), ...env });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(expected);
    expect(load).toThrow(expect.objectContaining({ message: expect.not.stringContaining("hunter2") }));
  });
});
