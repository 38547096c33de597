import { readdirSync, readFileSync } from "node:fs";
import { Ajv, type ValidateFunction } from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { schemaFiles } from "../scripts/schema-files.ts";
import { faultsOf } from "../test/build.ts";
import { partSchema, routesSchema, rulesetSchema } from "./index.ts";

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
const isRuleset = ajv.compile(rulesetSchema());
const isPart = ajv.compile(partSchema());
const isRoutes = ajv.compile(routesSchema());

const shipped = new URL("../../../rulesets/", import.meta.url);
const SHIPPED = readdirSync(shipped).filter((path) => path.endsWith(".yaml"));
const written = new URL("../schema/", import.meta.url);

function faultsBy(validate: ValidateFunction, text: string): string[] {
  validate(parse(text));
  return (validate.errors ?? []).map(({ instancePath, message, params }) =>
    [instancePath, message, JSON.stringify(params)].join(" "),
  );
}

function schemaOf(path: string): ValidateFunction {
  if (path.startsWith("_routes.")) return isRoutes;
  return path.startsWith("_") ? isPart : isRuleset;
}

const HEAD = "ruleset: test\n";
const RULE = "id: it, when: vpn, score: 1";

describe("rulesetSchema", () => {
  test("is what `npm run generate:schema` writes", () => {
    expect(readdirSync(written).toSorted()).toEqual([...schemaFiles().keys()].toSorted());
    for (const [file, schema] of schemaFiles()) {
      const json: unknown = JSON.parse(readFileSync(new URL(file, written), "utf8"));
      expect(json).toEqual(JSON.parse(JSON.stringify(schema)));
    }
  });

  test.each(SHIPPED)("takes the shipped %s", (path) => {
    const text = readFileSync(new URL(path, shipped), "utf8");
    expect(faultsBy(schemaOf(path), text)).toEqual([]);
  });

  test.each(SHIPPED)("is named in the first line of %s", (path) => {
    const [line] = readFileSync(new URL(path, shipped), "utf8").split("\n");
    const kind = path.startsWith("_routes.") ? "routes" : path.startsWith("_") ? "part" : "ruleset";
    expect(line).toBe(`# yaml-language-server: $schema=../packages/rules/schema/${kind}.schema.json`);
  });

  test.each([
    ["mode: observe\nsettings: { max_event_age: 2m, max_event_age_by_flow: { login: 10s }, event_use: once }"],
    ["settings:\nthresholds:\nintegrity:\nundecided:\nexpose:\nfacts:\nlists:\ncounters:\nrules:"],
    ["facts: { amount: number, delivery: [parcel, digital], tags: list }"],
    [
      "counters: { it: { key: [ip_address, context.user_id, facts.x], distinct: bot, window: 24h } }\nfacts: { x: number }",
    ],
    ["counters: { it: { on: outcome, key: ip_address, where: has(label), window: 90d } }"],
    ["rules: [{ id: it, when: vpn, except: proxy, action: review, mode: shadow, rollout: 12.5%, tags: [a] }]"],
    ["integrity: { stale: off, replayed: review }\nundecided: { default: allow, no_key_opens: block }"],
    ["expose: [suspect_score, velocity.distinct_ip.5_minutes]"],
  ])("takes what the loader takes: %s", (text) => {
    expect(faultsOf(HEAD + text)).toEqual([]);
    expect(faultsBy(isRuleset, HEAD + text)).toEqual([]);
  });

  test.each([
    ["mod: observe", "mod"],
    ["mode: observed", "/mode"],
    ["settings: { max_age: 1s }", "max_age"],
    ["settings: { max_event_age: 120 }", "/settings/max_event_age"],
    ["settings: { event_use: twice }", "/settings/event_use"],
    ["settings: { max_event_age_by_flow: { Log In: 1s } }", "Log In"],
    ["facts: { amount: numbre }", "/facts/amount"],
    ["facts: { Amount: number }", "Amount"],
    ["thresholds: { deny: 80 }", "deny"],
    ["thresholds: { block: 0 }", "/thresholds/block"],
    ["integrity: { stael: block }", "stael"],
    ["integrity: { stale: allow }", "/integrity/stale"],
    ["undecided: { no_key: block }", "no_key"],
    ["expose: [suspect_scor]", "/expose/0"],
    ["expose: [vpn_methods]", "/expose/0"],
    ["lists: { qa: { type: text, file: qa.txt } }", "/lists/qa/type"],
    ["lists: { qa: { type: string, file: ../qa.txt } }", "/lists/qa/file"],
    ["lists: { qa: { type: string } }", "file"],
    ["counters: { it: { key: ip_adress, window: 1h } }", "/counters/it/key"],
    ["counters: { it: { key: ip_address } }", "window"],
    ["counters: { it: { key: ip_address, window: 1w } }", "/counters/it/window"],
    ["counters: { it: { key: ip_address, window: 1h, onn: outcome } }", "onn"],
    ["counters: { it: { key: ip_address, window: 1h, on: outcomes } }", "/counters/it/on"],
    [`rules: [{ ${RULE}, mod: off }]`, "mod"],
    [`rules: [{ ${RULE}, mode: of }]`, "/rules/0/mode"],
    [`rules: [{ ${RULE}, action: ban }]`, "/rules/0/action"],
    [`rules: [{ ${RULE}, when_unknown: allow }]`, "/rules/0/when_unknown"],
    [`rules: [{ ${RULE}, rollout: 10 }]`, "/rules/0/rollout"],
    [`rules: [{ ${RULE}, review_by: soon }]`, "/rules/0/review_by"],
    ["rules: [{ id: it, when: vpn }]", "score"],
    ["rules: [{ id: it, score: 1 }]", "when"],
    ["include: [shared.yaml]", "/include/0"],
    ["tests: [{ name: a, given: { bott: bad }, expect: { action: block } }]", "bott"],
    ["tests: [{ name: a, given: { bot: baad }, expect: { action: block } }]", "/tests/0/given/bot"],
    ["tests: [{ name: a, expect: { action: ban } }]", "/tests/0/expect/action"],
    ["tests: [{ name: a, expect: {} }]", "/tests/0/expect"],
    ["tests: [{ name: a, checks: { stael: true }, expect: { action: block } }]", "stael"],
  ])("flags what the loader refuses: %s", (text, named) => {
    expect(faultsOf(HEAD + text)).not.toEqual([]);
    expect(faultsBy(isRuleset, HEAD + text).join("\n")).toContain(named);
  });

  test("wants a name", () => {
    expect(faultsBy(isRuleset, "rules: []").join("\n")).toContain("ruleset");
  });
});

describe("partSchema", () => {
  test("takes a part and refuses what only a ruleset holds", () => {
    expect(faultsBy(isPart, "facts: { a: number }\nrules:\n")).toEqual([]);
    expect(faultsBy(isPart, "# nothing\n")).toEqual([]);
    expect(faultsBy(isPart, "include: [_b.yaml]\n").join("\n")).toContain("include");
  });
});

describe("routesSchema", () => {
  test("takes routes and refuses what is no flow", () => {
    expect(faultsBy(isRoutes, "login: default\n'*': default\n")).toEqual([]);
    expect(faultsBy(isRoutes, "# nothing\n")).toEqual([]);
    expect(faultsBy(isRoutes, "Log In: default\n").join("\n")).toContain("Log In");
    expect(faultsBy(isRoutes, "login: [default]\n").join("\n")).toContain("/login");
  });
});
