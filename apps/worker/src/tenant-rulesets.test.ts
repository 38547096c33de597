import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, createMetrics } from "@assay/host";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createWorkerMetrics } from "./metrics.ts";
import { followTenantRulesets, type TenantRulesets } from "./tenant-rulesets.ts";

let root: string;
let registry: ReturnType<typeof createMetrics>["registry"];
let rulesets: TenantRulesets | undefined;
/** The next looks of the followers at their folders. */
let looks: (() => void)[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tenant-rulesets-"));
  looks = [];
});
afterEach(async () => {
  await rulesets?.stop();
  rulesets = undefined;
  rmSync(root, { recursive: true });
});

function put(folder: string, text: string): string {
  mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, folder, "default.yaml"), text);
  return join(root, folder);
}

const ruleset = (rule: string) => `ruleset: default\nrules: [{ id: ${rule}, when: bot == "bad", action: block }]\n`;

async function follow(folders: Readonly<Record<string, string>>): Promise<TenantRulesets> {
  const metrics = createMetrics("worker");
  ({ registry } = metrics);
  rulesets = await followTenantRulesets({
    tenants: Object.entries(folders).map(([name, folder]) => ({ name, rulesetsFolder: join(root, folder) })),
    logger: createLogger({ name: "test", level: "silent" }),
    metrics: createWorkerMetrics(metrics),
    now: () => Date.UTC(2026, 10, 23),
    delay: (_, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) resolve(undefined);
        signal.addEventListener("abort", resolve);
        looks.push(() => resolve(undefined));
      }),
  });
  return rulesets;
}

async function shown(): Promise<string[]> {
  const text = await registry.getSingleMetricAsString("assay_ruleset_info");
  const rows = [...text.matchAll(/^assay_ruleset_info\{name="(\w+)",digest="(\w+)",.*tenant="([\w-]+)"/gm)];
  return rows.map(([, name, digest, tenant]) => `${tenant} ${name} ${digest}`).toSorted();
}

const ruleOf = (tenant: string) => rulesets?.of(tenant).current().default.ruleIds;
const digestOf = (tenant: string) => rulesets?.of(tenant).current().default.digest;

describe("followTenantRulesets", () => {
  test("gives each tenant the rulesets of its folder, and one folder's to all who share it", async () => {
    put("a", ruleset("first"));
    put("b", ruleset("second"));
    const followed = await follow({ one: "a", two: "b", three: "a" });
    expect([ruleOf("one"), ruleOf("two"), ruleOf("three")]).toEqual([["first"], ["second"], ["first"]]);
    expect(followed.of("one")).toBe(followed.of("three"));
    expect(looks).toHaveLength(2);
    expect(() => followed.of("four")).toThrow("no tenant four");
  });

  test("shows what each tenant decides by, also after one folder has changed", async () => {
    put("a", ruleset("first"));
    put("b", ruleset("first"));
    await follow({ one: "a", two: "b" });
    const before = digestOf("one");
    expect(await shown()).toEqual([`one default ${before}`, `two default ${before}`]);
    put("b", ruleset("changed"));
    await until(() => digestOf("two") !== before);
    expect(await shown()).toEqual([`one default ${before}`, `two default ${digestOf("two")}`]);
  });

  test("says whose rulesets could not be taken", async () => {
    put("a", ruleset("first"));
    put("b", ruleset("second"));
    const followed = await follow({ one: "a", two: "b" });
    expect(followed.report()).toEqual({
      rulesets: `one: default ${digestOf("one")} (default.yaml); two: default ${digestOf("two")} (default.yaml)`,
      ruleset_reload: "ok",
    });
    put("b", "a: 1");
    await until(() => followed.report().ruleset_reload !== "ok");
    expect(followed.report().ruleset_reload).toMatch(/^two: failed at .*default\.yaml/);
    expect(ruleOf("two")).toEqual(["second"]);
  });

  test("tells the faults of every folder at once", async () => {
    put("a", "a: 1");
    put("b", "b: 1");
    put("c", ruleset("first"));
    await expect(follow({ one: "a", two: "b", three: "c" })).rejects.toMatchObject({
      code: "rulesets_unusable",
      message: expect.stringMatching(/a\/default\.yaml[^]*b\/default\.yaml/),
    });
  });
});

/** Lets the followers look at their folders until something holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    for (const look of looks.splice(0)) look();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
