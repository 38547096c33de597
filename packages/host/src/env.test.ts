import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ConfigError, type Env, type EnvReader, readEnv } from "./env.ts";

function faultsOf(env: Env, read: (reader: EnvReader) => unknown): ConfigError {
  try {
    readEnv(env, read);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("there was no fault");
}

function secretFile(content: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "assay-env-")), "secret");
  writeFileSync(path, content);
  return path;
}

describe("readEnv", () => {
  test("returns what was read", () => {
    const config = readEnv({ URL: " redis://a ", PORT: "80", MODE: "b", LIST: "x, y,,z", KEY: "s" }, (env) => ({
      url: env.string("URL"),
      port: env.integer("PORT", { min: 0 }),
      mode: env.choice("MODE", ["a", "b"]),
      list: env.list("LIST"),
      key: env.secret("KEY"),
      absent: env.optional("ABSENT"),
    }));
    expect(config).toEqual({ url: "redis://a", port: 80, mode: "b", list: ["x", "y", "z"], key: "s" });
  });

  test("takes defaults for what is not set or empty", () => {
    const config = readEnv({ PORT: "", LIST: " " }, (env) => ({
      url: env.string("URL", { default: "u" }),
      port: env.integer("PORT", { default: 8080 }),
      mode: env.choice("MODE", ["a", "b"], { default: "b" }),
      list: env.list("LIST", { default: ["l"] }),
      key: env.secret("KEY"),
    }));
    expect(config).toEqual({ url: "u", port: 8080, mode: "b", list: ["l"] });
  });

  test("freezes the result all the way down", () => {
    const config = readEnv({}, () => ({ inner: { list: [{ a: 1 }] } }));
    expect([config, config.inner, config.inner.list, config.inner.list[0]].every(Object.isFrozen)).toBe(true);
  });

  test("tells all faults in one error", () => {
    const error = faultsOf({ PORT: "eighty", MODE: "c" }, (env) => {
      env.string("URL", { describe: "the URL of Redis, for example redis://localhost:6379" });
      env.integer("PORT", { default: 8080, min: 0, max: 65535 });
      env.choice("MODE", ["a", "b"]);
      env.fault("OTHER", "needs URL to be set.");
    });
    expect(error.code).toBe("config_invalid");
    expect(error.faults.map((fault) => fault.name)).toEqual(["URL", "PORT", "MODE", "OTHER"]);
    expect(error.message.split("\n").slice(1)).toEqual([
      "  URL: is not set. Set URL to the URL of Redis, for example redis://localhost:6379.",
      '  PORT: Set PORT to a whole number from 0 to 65535. It is "eighty".',
      '  MODE: Set MODE to one of a, b. It is "c".',
      "  OTHER: needs URL to be set.",
    ]);
  });

  test("tells the faults found before a reader that breaks on a stand-in value", () => {
    const error = faultsOf({}, (env) => new URL(env.string("URL")));
    expect(error.faults).toHaveLength(1);
  });

  test("passes on an error that is no consequence of a fault", () => {
    expect(() =>
      readEnv({}, () => {
        throw new RangeError("mine");
      }),
    ).toThrow(RangeError);
  });

  test.each(["1.5", "1e3", "0x10", "9007199254740993", "", "-1", "11"])(
    "refuses %j as a whole number from 0 to 10",
    (text) => {
      expect(faultsOf({ N: text }, (env) => env.integer("N", { min: 0, max: 10 })).faults).toHaveLength(1);
    },
  );

  test("refuses a text that does not match its pattern", () => {
    const error = faultsOf({ REGION: "mars" }, (env) => env.string("REGION", { pattern: /^(us|eu|ap)$/ }));
    expect(error.message).toContain('It is "mars".');
  });

  test("never prints the value of a secret", () => {
    const path = secretFile("  ");
    const error = faultsOf({ A: "hunter2", B: "hunter2", B_FILE: path, C_FILE: path }, (env) => {
      env.string("A", { secret: true, pattern: /^x$/ });
      env.secret("B");
      env.secret("C");
    });
    expect(error.faults).toHaveLength(3);
    expect(error.message).not.toContain("hunter2");
  });

  test("cuts a long value short, as it may be a secret in the wrong variable", () => {
    const error = faultsOf({ PORT: "k".repeat(44) }, (env) => env.integer("PORT"));
    expect(error.message).toContain('"kkkkkkkk…" (44 characters)');
  });
});

describe("EnvReader.secret", () => {
  test("reads the file that NAME_FILE names, trimmed", () => {
    const env = { KEY_FILE: secretFile("  abc\n") };
    expect(readEnv(env, (reader) => ({ key: reader.secret("KEY") }))).toEqual({ key: "abc" });
  });

  test("refuses NAME beside NAME_FILE", () => {
    const error = faultsOf({ KEY: "a", KEY_FILE: secretFile("b") }, (env) => env.secret("KEY"));
    expect(error.message).toContain("KEY: is set, and KEY_FILE too. Unset one of them.");
  });

  test("names the file that cannot be read, and why", () => {
    const error = faultsOf({ KEY_FILE: "/nowhere/key" }, (env) => env.secret("KEY"));
    expect(error.message).toContain('KEY_FILE: "/nowhere/key" cannot be read (ENOENT).');
  });

  test("refuses an empty file", () => {
    const error = faultsOf({ KEY_FILE: secretFile("\n") }, (env) => env.secret("KEY"));
    expect(error.message).toContain("is empty");
  });
});
