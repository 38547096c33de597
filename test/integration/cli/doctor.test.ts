import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSealedKeys, seal } from "@assay/fingerprint";
import { holdBucket } from "@assay/ledger";
import { type Event, secretFingerprint } from "@assay/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assay } from "../../support/assay-command.ts";
import { anEvent } from "../../support/events.ts";
import { type FingerprintApi, startFingerprintApi } from "../../support/fingerprint-api.ts";
import { type PrivateRedis } from "../../support/private-redis.ts";
import { startRedis } from "../../support/redis-server.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";
import { openConnection } from "../ledger/open-ledger.ts";

const RULESET = `
ruleset: default
settings: { allowed_origins: ["https://shop.example"] }
rules:
  - { id: hidden_network, when: vpn || proxy, score: 10, action: review }
`;

let folder: string;
let api: FingerprintApi;
let redis: PrivateRedis | undefined;
let stack: WorkerStack;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "assay-doctor-"));
  writeFileSync(join(folder, "default.yaml"), RULESET);
  api = await startFingerprintApi();
  stack = await open();
});
afterEach(async () => {
  await stack.stop();
  await api.stop();
  await redis?.stop();
  redis = undefined;
  rmSync(folder, { recursive: true });
});

async function open(redisUrl?: string): Promise<WorkerStack> {
  return openWorkerStack({
    ...(redisUrl === undefined ? {} : { redisUrl }),
    env: {
      ASSAY_RULESETS: folder,
      ASSAY_FINGERPRINT_API_KEYS: "secret-api-key",
      ASSAY_FINGERPRINT_API_URL: api.url,
    },
  });
}

/** Decides events, and lets what the worker noticed be written. */
async function decide(...events: Event[]): Promise<void> {
  const worker = await stack.runWorker();
  const ids = await Promise.all(events.map((event) => stack.submitSealed(event)));
  await Promise.all(ids.map((id) => stack.verdict(id)));
  await worker.stop();
}

const twenty = (changes: Partial<Event> = {}) => Array.from({ length: 20 }, () => anEvent(changes));

interface Check {
  readonly name: string;
  readonly status: string;
  readonly says: string;
  readonly do?: string;
}

async function examine(env: Record<string, string> = {}, ...args: string[]) {
  const run = await assay(["doctor", "--json", ...args], { env: { ...stack.env, ...env } });
  const report: { checks: Check[] } = JSON.parse(run.stdout);
  return {
    exitCode: run.exitCode,
    checks: report.checks,
    of: (name: string) => report.checks.filter((check) => check.name === name),
    text: run.stdout + run.stderr,
  };
}

describe("assay doctor", () => {
  test("finds nothing wrong with an installation that is well", async () => {
    await decide(...twenty());
    await stack.runWorker();
    const { exitCode, checks, of } = await examine();
    const notWell = checks.filter(({ status }) => status === "fail" || status === "warn");
    expect([exitCode, notWell]).toEqual([0, []]);
    expect(of("redis")[0]?.says).toMatch(/^Redis \d+\.\S+, durability local: evicts nothing, every write is on disk/);
    expect(of("memory")[0]?.says).toMatch(
      /^Redis holds .* MiB of 512 MiB \(.*\); at .* verdicts will hold .* MiB \(.*\), and counters more$/,
    );
    expect(of("seals")[0]?.says).toMatch(/^key [0-9a-f]{8} opened one \d+ .* ago$/);
    expect(of("api_keys")[0]?.says).toMatch(/^API key [0-9a-f]{8} works in the region us/);
    expect(of("origins")[0]?.says).toBe("All of allowed_origins of default was seen, and nothing else");
    expect(of("environments")[0]?.do).toContain("allowed_environments: [ae_47abaca3db2c7c43]");
    expect(of("signals")[0]?.says).toBe("All 2 signals that rules need were seen in 20 events of browsers");
    expect(api.asked).toHaveLength(1);
  });

  test("tells people the same, and nothing of secrets or visitors", async () => {
    const event = anEvent();
    await decide(event);
    const { exitCode, stdout, stderr } = await assay(["doctor"], { env: stack.env });
    expect([exitCode, stderr]).toEqual([1, ""]);
    expect(stdout).toMatch(/^ok +redis +Redis /);
    expect(stdout).toMatch(/^fail +workers +No worker runs .*\n +→ start apps\/worker/m);
    expect(stdout).toMatch(/\n\n\d+ checks: 1 failed\.\n$/);
    const secrets = ["secret-api-key", stack.env["ASSAY_SEALED_KEYS"] ?? "", event.ip_address ?? ""];
    for (const secret of [...secrets, event.identification?.visitor_id ?? "", event.event_id, "/checkout"]) {
      expect(stdout).not.toContain(secret);
    }
  });

  test("says what to change on a Redis that evicts", async () => {
    redis = await startRedis({ config: { "maxmemory-policy": "allkeys-lru", appendfsync: "everysec" } });
    const env = { REDIS_URL: redis.url };
    const { exitCode, of } = await examine(env, "--no-lookup");
    expect(exitCode).toBe(1);
    expect(of("redis").map(({ status }) => status)).toEqual(["fail", "fail"]);
    expect(of("redis")[0]?.do).toContain("CONFIG SET maxmemory-policy noeviction");
    expect(of("redis")[1]?.do).toContain("CONFIG SET appendfsync always");
  });

  test("says what it can without Redis, and that it cannot be reached", async () => {
    const { exitCode, checks, of } = await examine({ REDIS_URL: "redis://user:hunter2@127.0.0.1:1" });
    expect(exitCode).toBe(3);
    expect(of("redis")).toMatchObject([{ status: "fail", says: expect.stringContaining("ECONNREFUSED") }]);
    expect(of("rulesets")).toMatchObject([{ status: "ok" }]);
    expect(of("api_keys")).toMatchObject([{ status: "ok" }]);
    expect(JSON.stringify(checks)).not.toContain("hunter2");
  });

  test("says that the password is wrong, and not which", async () => {
    redis = await startRedis();
    await openConnection(redis.url).then((connection) => connection.config("SET", "requirepass", "hunter2"));
    const { exitCode, of, text } = await examine(
      { REDIS_URL: redis.url.replace("//", "//:swordfish@") },
      "--no-lookup",
    );
    expect([exitCode, of("redis")[0]?.says]).toEqual([3, "Redis refuses the password"]);
    expect(text).not.toMatch(/hunter2|swordfish/);
  });

  test.each([
    ["wrong_region" as const, /belongs to another region than us/, /ASSAY_FINGERPRINT_REGION/],
    ["secret_api_key_not_found" as const, /Fingerprint refuses API key/, /copy a secret key/],
  ])("says what %s of Fingerprint's means", async (code, says, todo) => {
    api.misbehave({ kind: "forbidden", code });
    const { exitCode, of } = await examine();
    expect(exitCode).toBe(1);
    expect(of("api_keys")).toEqual([
      { name: "api_keys", status: "fail", says: expect.stringMatching(says), do: expect.stringMatching(todo) },
    ]);
  });

  test("takes its lookup from those that Fingerprint allows, and asks nothing where none is left", async () => {
    expect((await examine()).of("api_keys")).toMatchObject([{ status: "ok" }]);
    const bucket = stack.keys.lookupBucket(secretFingerprint("secret-api-key"));
    expect(await stack.redis.hget(bucket, "tokens")).toBe("14");
    await holdBucket(stack.redis, stack.keys, secretFingerprint("secret-api-key"), 60_000);
    expect((await examine()).of("api_keys")).toMatchObject([{ status: "skip" }]);
    expect(api.asked).toHaveLength(1);
  });

  test("asks Fingerprint nothing when it is told so", async () => {
    expect((await examine({}, "--no-lookup")).of("api_keys")).toMatchObject([{ status: "skip" }]);
    expect(api.asked).toEqual([]);
  });

  test("names a seal key that was forgotten, and sees when workers only have to take it", async () => {
    const forgotten = randomBytes(32).toString("base64");
    const [key] = parseSealedKeys(forgotten);
    if (key === undefined) throw new Error("A fresh key must be usable.");
    const worker = await stack.runWorker();
    for (let n = 0; n < 3; n++) {
      const id = await stack.submitSealed(seal(anEvent(), key));
      expect((await stack.verdict(id)).undecided).toEqual({ code: "no_key_opens" });
    }
    await worker.stop();
    expect((await examine()).of("seals")).toMatchObject([
      {
        status: "fail",
        says: expect.stringContaining("None of the last 3 opens"),
        do: expect.stringContaining("copy"),
      },
    ]);
    const keys = `${forgotten},${stack.env["ASSAY_SEALED_KEYS"]}`;
    expect((await examine({ ASSAY_SEALED_KEYS: keys })).of("seals")).toMatchObject([
      {
        status: "warn",
        says: expect.stringContaining("3 of the last 3 open"),
        do: expect.stringContaining("start the workers"),
      },
    ]);
  });

  test("sees that events were made after they came", async () => {
    const timestamp = Date.now() + 60_000;
    await decide(anEvent({ timestamp }));
    const { of } = await examine({}, "--no-lookup");
    expect(of("event_clock")).toMatchObject([{ status: "warn", do: expect.stringContaining("NTP") }]);
    expect(of("clock")).toMatchObject([{ status: "ok" }]);
  });

  test("names signals that rules need and nobody ever sent, and origins that nobody allowed", async () => {
    const { vpn: _, ...withoutVpn } = anEvent();
    const events = twenty({ url: "https://evil.example/x" }).map((event) => ({
      ...withoutVpn,
      event_id: event.event_id,
      url: event.url ?? "",
    }));
    await decide(...events);
    const { of } = await examine({}, "--no-lookup");
    expect(of("signals")).toMatchObject([
      { status: "warn", says: "Rules need what none of 20 events of browsers had: vpn (hidden_network)" },
    ]);
    expect(of("origins")).toMatchObject([
      {
        status: "warn",
        says: "Seen and not in allowed_origins of default: https://evil.example (20). In allowed_origins of default and never seen: https://shop.example",
      },
    ]);
  });

  test("tells how much of the vendor's limit was used, and when a webhook came last", async () => {
    const event = anEvent();
    api.add(event);
    const worker = await stack.runWorker();
    await stack.verdict(await stack.submitLookup(event.event_id));
    await stack.verdict(await stack.submitWebhook(anEvent()));
    await worker.stop();
    const { of } = await examine({ ASSAY_WEBHOOK_SECRETS: "whsec_1" }, "--no-lookup");
    expect(of("lookups")).toMatchObject([{ status: "ok", says: expect.stringMatching(/^Asked: 1\/min of 5\/s/) }]);
    expect(of("webhooks")).toMatchObject([
      { status: "ok", says: expect.stringMatching(/the last one came \d+ .* ago$/) },
    ]);
    expect(of("ingress")[0]?.says).toContain("lookup 1, webhook 1");
  });

  test("finds that nothing could bring the event behind an id", async () => {
    await stack.redis.hset(`${stack.prefix}:meta`, "webhooks:0", "0");
    const env = { ASSAY_FINGERPRINT_API_KEYS: "", ASSAY_SEALED_KEYS: "" };
    expect((await examine(env)).of("event_ids")).toMatchObject([
      { status: "fail", says: expect.stringContaining("lookups_not_configured") },
    ]);
  });

  test("lists every fault of the environment, and goes on", async () => {
    const { exitCode, of, text } = await examine({ ASSAY_DURABILITY: "hopefully", ASSAY_SEALED_KEYS: "hunter2" });
    expect(exitCode).toBe(1);
    expect(of("environment").map(({ says }) => says.split(" ")[0])).toEqual(["ASSAY_DURABILITY", "ASSAY_SEALED_KEYS"]);
    expect(of("ingress")).toHaveLength(1);
    expect(text).not.toContain("hunter2");
  });

  test.each([
    ["fails on a folder of rulesets that is not there", { ASSAY_RULESETS: "/nowhere" }, "fail"],
    ["skips the rulesets where nobody names a folder", { ASSAY_RULESETS: "" }, "skip"],
  ])("%s", async (_, env, status) => {
    const run = await assay(["doctor", "--json", "--no-lookup"], { cwd: folder, env: { ...stack.env, ...env } });
    const report: { checks: Check[] } = JSON.parse(run.stdout);
    expect(report.checks).toContainEqual(
      expect.objectContaining({ name: "rulesets", status, says: expect.stringContaining("ASSAY_RULESETS") }),
    );
  });

  test("counts the faults of rulesets, and says how to see them", async () => {
    writeFileSync(join(folder, "default.yaml"), RULESET.replace("vpn", "vpnn"));
    const { exitCode, of } = await examine({}, "--no-lookup");
    expect([exitCode, of("rulesets")]).toEqual([
      1,
      [expect.objectContaining({ status: "fail", do: `run: assay rules check ${folder}` })],
    ]);
  });

  test("looks at each tenant by its own keys and names whose each finding is, or at one alone", async () => {
    const tenants = `
tenants:
  "0": { sealed_keys: ["${stack.env["ASSAY_SEALED_KEYS"]}"] }
  shop-eu: { fingerprint: { api_keys: [eu-key], region: eu, api_url: "${api.url}" }, rulesets: . }
`;
    writeFileSync(join(folder, "tenants.txt"), tenants);
    const { REDIS_URL = "", ASSAY_PREFIX = "" } = stack.env;
    const own = { REDIS_URL, ASSAY_PREFIX, ASSAY_RULESETS: folder, ASSAY_TENANTS_FILE: join(folder, "tenants.txt") };
    const placesOf = async (...args: string[]) => {
      const { stdout } = await assay(["doctor", "--json", ...args], { env: own });
      const report: { checks: (Check & { tenant?: string })[] } = JSON.parse(stdout);
      const ofTenants = report.checks.filter(({ name }) => name === "seals" || name === "api_keys");
      return ofTenants.map(({ name, tenant = "0", status }) => `${tenant}/${name} ${status}`);
    };
    expect(await placesOf()).toEqual(["0/seals ok", "0/api_keys skip", "shop-eu/seals skip", "shop-eu/api_keys ok"]);
    expect(await placesOf("--tenant", "shop-eu")).toEqual(["shop-eu/seals skip", "shop-eu/api_keys ok"]);
    expect((await assay(["doctor"], { env: own })).stdout).toMatch(/^ok +shop-eu\/api_keys +API key .* region eu/m);
  });

  test("knows no tenant that is not configured", async () => {
    const { exitCode, stderr } = await assay(["doctor", "--tenant", "nobody"], { env: stack.env });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("There is no tenant nobody")]);
  });

  test("loads nothing of Redis for other commands", async () => {
    const probe =
      'process.on("exit", () => { if (process.moduleLoadList.includes("NativeModule tls")) process.exitCode = 9; })';
    const env = {
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(probe)}`,
      REDIS_URL: "redis://127.0.0.1:1",
    };
    expect((await assay(["rules", "check", "--rulesets", folder], { env })).exitCode).toBe(0);
    expect((await assay(["doctor", "--rulesets", folder], { env })).exitCode).toBe(9);
  });
});
