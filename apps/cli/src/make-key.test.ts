import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { assay, assayJson, assayOn, useFolder } from "../test/command-line.ts";

useFolder();

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

describe("assay keys new", () => {
  test("prints a secret of 32 bytes, and the entry that knows it by its hash", async () => {
    const { exitCode, out } = await assay("keys", "new", "--name", "shop");
    const [, secret = ""] = /\n {2}([A-Za-z0-9_-]{43})\n/.exec(out) ?? [];
    expect(exitCode).toBe(0);
    expect(out).toContain(`  - { name: "shop", sha256: "${sha256(secret)}", roles: [submit, read] }\n`);
  });

  test("takes a tenant and roles", async () => {
    const args = ["--name", "desk", "--tenant", "shop-eu", "--role", "read", "--role", "analyst", "--role", "read"];
    const { out } = await assay("keys", "new", ...args);
    expect(out).toMatch(/\{ name: "desk", tenant: "shop-eu", sha256: "[0-9a-f]{64}", roles: \[read, analyst\] \}\n$/);
    expect(await assayJson("keys", "new", ...args)).toEqual({
      secret: expect.any(String),
      key: { name: "desk", tenant: "shop-eu", sha256: expect.any(String), roles: ["read", "analyst"] },
    });
  });

  test("makes another secret each time", async () => {
    const once = await assay("keys", "new", "--name", "shop");
    expect(await assay("keys", "new", "--name", "shop")).not.toEqual(once);
  });

  test.each([
    [["--name", "Shop Floor"], "--name must be"],
    [["--name", "shop", "--tenant", "Shop"], "--tenant must be"],
    [["--name", "shop", "--role", "root"], "--role must be one of submit"],
    [["--name", "shop", "--role", "test", "--role", "submit"], "test beside submit"],
    [[], "--name"],
  ])("refuses %j", async (args, expected) => {
    const { exitCode, out, err } = await assay("keys", "new", ...args);
    expect([exitCode, out, err]).toEqual([2, "", expect.stringContaining(expected)]);
  });
});

describe("assay keys hash", () => {
  test.each(["my-secret", "my-secret\n", "my-secret\r\n"])("hashes the secret in %j", async (input) => {
    expect((await assayOn(input, "keys", "hash")).out).toBe(`${sha256("my-secret")}\n`);
  });

  test.each(["", "\n", "two words", "two\nlines", "ü"])("refuses %j", async (input) => {
    const { exitCode, err } = await assayOn(input, "keys", "hash");
    expect([exitCode, err]).toEqual([2, expect.stringContaining("one secret")]);
  });
});
