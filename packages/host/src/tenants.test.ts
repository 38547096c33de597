import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { ConfigError, type Env, readEnv } from "./env.ts";
import { readTenants } from "./tenants.ts";

const VARIABLES = {
  own: ["ASSAY_SEALED_KEYS", "ASSAY_FINGERPRINT_API_KEYS", "ASSAY_FINGERPRINT_REGION"],
  shared: ["ASSAY_RULESETS"],
};

/** Writes a file of tenants; returns its path. */
function put(text: string, beside: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "assay-tenants-"));
  for (const [name, content] of Object.entries(beside)) writeFileSync(join(folder, name), content);
  writeFileSync(join(folder, "tenants.yaml"), text);
  return join(folder, "tenants.yaml");
}

function read(env: Env) {
  return readEnv(env, (reader) =>
    readTenants(reader, VARIABLES, (name, settings) => ({
      name,
      sealedKeys: settings.secret("ASSAY_SEALED_KEYS"),
      apiKeys: settings.secret("ASSAY_FINGERPRINT_API_KEYS"),
      region: settings.choice("ASSAY_FINGERPRINT_REGION", ["us", "eu", "ap"], { default: "us" }),
      rps: settings.integer("ASSAY_FINGERPRINT_RPS", { default: 5, min: 1 }),
      rulesets: settings.string("ASSAY_RULESETS", { default: "/rulesets" }),
    })),
  );
}

function faultsOf(env: Env): string[] {
  try {
    read(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(({ name, message }) => `${name}: ${message}`);
    throw error;
  }
  return [];
}

const namesOf = (env: Env) => read(env).map(({ name }) => name);

describe("readTenants", () => {
  test("finds the default tenant alone where nobody is named", () => {
    expect(read({ ASSAY_SEALED_KEYS: "k" })).toEqual([
      { name: "0", sealedKeys: "k", apiKeys: undefined, region: "us", rps: 5, rulesets: "/rulesets" },
    ]);
  });

  test("reads each tenant's settings, with paths that begin at the file", () => {
    const text = `
tenants:
  shop-eu:
    sealed_keys: [one, two]
    fingerprint: { api_keys_file: api.txt, region: eu, rps: 9 }
    rulesets: ./eu
  shop_us: {}
`;
    const file = put(text, { "api.txt": "a,b\n" });
    expect(read({ ASSAY_TENANTS_FILE: file, ASSAY_RULESETS: "/all" })).toEqual([
      {
        name: "shop-eu",
        sealedKeys: "one,two",
        apiKeys: "a,b",
        region: "eu",
        rps: 9,
        rulesets: join(dirname(file), "eu"),
      },
      { name: "shop_us", sealedKeys: undefined, apiKeys: undefined, region: "us", rps: 5, rulesets: "/all" },
    ]);
  });

  test("reads JSON too", () => {
    expect(namesOf({ ASSAY_TENANTS_FILE: put('{"tenants": {"a": {"sealed_keys": ["k"]}, "b": null}}') })).toEqual([
      "a",
      "b",
    ]);
  });

  test.each<[string, string, Env, string[]]>([
    ["the file names it", "tenants: { a: {}, 0: {} }", {}, ["0", "a"]],
    ["a variable describes it", "tenants: { a: {} }", { ASSAY_SEALED_KEYS: "k" }, ["a", "0"]],
    ["the file of a variable describes it", "tenants: { a: {} }", { ASSAY_SEALED_KEYS_FILE: "FILE" }, ["a", "0"]],
    ["nobody is named", "tenants: {}", {}, ["0"]],
  ])("has the default tenant where %s", (_, text, env, names) => {
    const file = put(text);
    const filled = Object.fromEntries(
      Object.entries(env).map(([name, value]) => [name, value === "FILE" ? file : value]),
    );
    expect(namesOf({ ...filled, ASSAY_TENANTS_FILE: file })).toEqual(names);
  });

  test("has no default tenant where only others are named", () => {
    expect(namesOf({ ASSAY_TENANTS_FILE: put("tenants: { a: {} }"), ASSAY_RULESETS: "/all" })).toEqual(["a"]);
  });

  test("gives the variables of the default tenant to no other", () => {
    const tenants = read({
      ASSAY_TENANTS_FILE: put("tenants: { a: {}, 0: { fingerprint: { region: ap } } }"),
      ASSAY_SEALED_KEYS: "k",
    });
    expect(tenants).toMatchObject([
      { name: "0", sealedKeys: "k", region: "ap" },
      { name: "a", sealedKeys: undefined, region: "us" },
    ]);
  });

  test.each<[string, string, Env, RegExp]>([
    [
      "a setting of the default tenant in both",
      "tenants: { 0: { sealed_keys: [k1] } }",
      { ASSAY_SEALED_KEYS: "k2" },
      /^ASSAY_SEALED_KEYS: is set, and tenants\.0\.sealed_keys of ASSAY_TENANTS_FILE too/,
    ],
    [
      "the same by a file",
      "tenants: { 0: { sealed_keys_file: tenants.yaml } }",
      { ASSAY_SEALED_KEYS: "k2" },
      /^ASSAY_SEALED_KEYS: is set, and tenants\.0\.sealed_keys_file of/,
    ],
    [
      "a region that is none",
      "tenants: { a: { fingerprint: { region: mars } } }",
      {},
      /^tenants\.a\.fingerprint\.region: Set tenants\.a\.fingerprint\.region to one of us, eu, ap\. It is "mars"/,
    ],
    ["a rate that is none", "tenants: { a: { fingerprint: { rps: 0.5 } } }", {}, /^tenants\.a\.fingerprint\.rps: Set/],
    [
      "a misspelt setting",
      "tenants: { a: { fingerprint: { regoin: eu } } }",
      {},
      /^tenants\.a\.fingerprint: has regoin, which is not known here\. Did you mean region\?/,
    ],
    ["a secret in a setting's place", "tenants: { a: { Hunter2: x } }", {}, /^tenants\.a: has a key that is no name/],
    [
      "a secret that is a number",
      "tenants: { a: { sealed_keys: [12] } }",
      {},
      /^tenants\.a\.sealed_keys\[0\]: must be a text\. Write it in quotes/,
    ],
    ["a list that is none", "tenants: { a: { sealed_keys: hunter2 } }", {}, /^tenants\.a\.sealed_keys: must be a list/],
    ["an empty list", "tenants: { a: { sealed_keys: [] } }", {}, /^tenants\.a\.sealed_keys: is an empty list/],
    ["a comma in a secret", 'tenants: { a: { sealed_keys: ["hunter2,x"] } }', {}, /without a comma/],
    [
      "a list and its file",
      "tenants: { a: { sealed_keys: [k], sealed_keys_file: k.txt } }",
      {},
      /^tenants\.a\.sealed_keys: is set, and tenants\.a\.sealed_keys_file too/,
    ],
    [
      "a file that is not there",
      "tenants: { a: { sealed_keys_file: nowhere } }",
      {},
      /^tenants\.a\.sealed_keys_file: .*cannot be read \(ENOENT\)/,
    ],
    ["a name that is none", "tenants: { Hunter2: {} }", {}, /^tenants: has a name, its number 1, that is not 1 to 32/],
    ["a tenant that is a text", "tenants: { a: hunter2 }", {}, /^tenants\.a: must hold settings/],
    ["no tenants", "a: {}", {}, /^ASSAY_TENANTS_FILE: must hold tenants/],
    ["something beside them", "tenants: {}\nkeys: []", {}, /^ASSAY_TENANTS_FILE: must hold tenants/],
    [
      "a tenant twice",
      "tenants: { a: {}, a: {} }",
      {},
      /^ASSAY_TENANTS_FILE: line 1, column 19 is not YAML that can be read here \(duplicate key\)/,
    ],
    ["no YAML", "tenants: [hunter2", {}, /^ASSAY_TENANTS_FILE: line 1, column \d+ is not YAML/],
    ["an alias of nothing", "tenants: { a: *hunter2 }", {}, /^ASSAY_TENANTS_FILE: /],
    ["a tag", "tenants: { a: !hunter2 {} }", {}, /^ASSAY_TENANTS_FILE: .*\(tag resolve failed\)/],
  ])("refuses %s, and repeats no secret", (_, text, env, expected) => {
    const faults = faultsOf({ ASSAY_TENANTS_FILE: put(text), ...env });
    expect(faults).toEqual([expect.stringMatching(expected)]);
    expect(faults.join()).not.toMatch(/hunter2/i);
  });

  test("tells every fault of every tenant at once", () => {
    const text = `
tenants:
  a: { fingerprint: { region: mars }, colour: red }
  b: { fingerprint: { rps: many }, sealed_keys: [1] }
`;
    expect(faultsOf({ ASSAY_TENANTS_FILE: put(text), ASSAY_FINGERPRINT_REGION: "moon" }).map(nameOf)).toEqual([
      "tenants.a",
      "tenants.b.sealed_keys[0]",
      "tenants.b.fingerprint.rps",
      "tenants.a.fingerprint.region",
      "ASSAY_FINGERPRINT_REGION",
    ]);
  });

  test("tells a fault of a shared variable once", () => {
    const readShared = (env: Env) =>
      readEnv(env, (reader) =>
        readTenants(reader, { own: [], shared: ["MODE"] }, (_, settings) => settings.choice("MODE", ["x"])),
      );
    const file = put("tenants: { a: {}, b: {} }");
    expect(readShared({ ASSAY_TENANTS_FILE: file, MODE: "x" })).toEqual(["x", "x"]);
    expect(() => readShared({ ASSAY_TENANTS_FILE: file, MODE: "y" })).toThrow(
      expect.objectContaining({ faults: [expect.objectContaining({ name: "MODE" })] }),
    );
  });

  test("says which file of tenants cannot be read", () => {
    expect(faultsOf({ ASSAY_TENANTS_FILE: "/nowhere" })).toEqual([
      expect.stringMatching(/^ASSAY_TENANTS_FILE: "\/nowhere" cannot be read \(ENOENT\)/),
    ]);
  });
});

function nameOf(fault: string): string {
  return fault.slice(0, fault.indexOf(":"));
}
