import { describe, expect, test } from "vitest";
import { readKeysFile } from "./keys-file.ts";

const HASH = "ab".repeat(32);

describe("readKeysFile", () => {
  test("reads keys of the default tenant and of others", () => {
    const text = `
keys:
  - { name: shop, sha256: "${HASH}", roles: [submit, read] }
  - { name: till, tenant: 0, sha256: "${HASH.toUpperCase()}", roles: [admin] }
  - { name: shop, tenant: shop-eu, sha256: "${HASH}", roles: [test] }
`;
    const hash = Buffer.from(HASH, "hex");
    expect(readKeysFile(text)).toEqual({
      ok: true,
      keys: [
        { tenant: "0", name: "shop", roles: ["submit", "read"], hash, origin: "keys[0]" },
        { tenant: "0", name: "till", roles: ["admin"], hash, origin: "keys[1]" },
        { tenant: "shop-eu", name: "shop", roles: ["test"], hash, origin: "keys[2]" },
      ],
    });
  });

  test.each([
    ["a name that is none", { name: "Shop Floor" }, "keys[0].name: must be 1 to 64 characters"],
    ["no name", { name: undefined }, "keys[0].name: must be 1 to 64 characters"],
    ["a tenant that is none", { tenant: "Shop" }, "keys[0].tenant: must be 1 to 32 characters"],
    ["a secret in the place of its hash", { sha256: "hunter2" }, "keys[0].sha256: must be 64 hex digits"],
    ["no hash", { sha256: undefined }, "keys[0].sha256: must be the SHA-256"],
    ["a role that is none", { roles: ["root"] }, "keys[0].roles[0]: must be one of submit, read"],
    ["roles that are no list", { roles: "submit" }, "keys[0].roles: must be a list of roles"],
    ["a misspelt setting", { rols: [] }, "keys[0]: has rols, which is not known here. Did you mean roles?"],
    ["the secret itself", { secret: "hunter2" }, "keys[0]: has secret, which is not known here."],
  ])("refuses %s, and repeats no secret", (_, change, expected) => {
    const entry = { name: "shop", sha256: HASH, roles: ["submit"], ...change };
    const faults = faultsOf(JSON.stringify({ keys: [entry] }));
    expect(faults).toEqual([expect.stringContaining(expected)]);
    expect(faults.join()).not.toContain("hunter2");
  });

  test.each([
    ["no YAML", "keys: [hunter2", "line 1"],
    ["no keys", "{}", "keys: must be a list of keys."],
    ["an empty list", "keys: []", "keys: holds no key"],
    ["a list alone", "- a", "the document: must hold keys"],
  ])("refuses %s", (_, text, expected) => {
    expect(faultsOf(text)).toEqual([expect.stringContaining(expected)]);
  });

  test("tells every fault at once", () => {
    expect(faultsOf('keys: [{ name: A, sha256: "1", roles: [x] }]')).toHaveLength(3);
  });
});

function faultsOf(text: string): string[] {
  const read = readKeysFile(text);
  return read.ok ? [] : read.faults.map(({ name, message }) => `${name}: ${message}`);
}
