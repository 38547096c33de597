import type { Role } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import {
  CredentialError,
  faultsOfCredentials,
  type IngressKey,
  readBasicAuth,
  readShortKeys,
  readWebhookSecrets,
  sha256,
  type WebhookCredentials,
} from "./credentials.ts";

const SHORT = { tenant: "0", roles: ["submit", "read"], origin: "ASSAY_INGRESS_KEYS" };

describe("readShortKeys", () => {
  test("reads named keys, and default where there is no name, of the default tenant", () => {
    expect(readShortKeys("shop:one, two ,shop:three")).toEqual([
      { ...SHORT, name: "shop", hash: sha256("one") },
      { ...SHORT, name: "default", hash: sha256("two") },
      { ...SHORT, name: "shop", hash: sha256("three") },
    ]);
  });

  test("takes what follows the first colon as the secret", () => {
    expect(readShortKeys("shop:a:b")).toEqual([{ ...SHORT, name: "shop", hash: sha256("a:b") }]);
  });

  test.each(["Shop Floor:hunter2", "shop:", "shop:hunter 2", "shop:hunter2,till:hunter2", ","])(
    "refuses %j without repeating it",
    (text) => expectRefusal(() => readShortKeys(text)),
  );
});

describe("readWebhookSecrets", () => {
  test("reads several", () => {
    expect(readWebhookSecrets("one,two")).toEqual(["one", "two"]);
  });

  test("refuses none", () => expectRefusal(() => readWebhookSecrets(" , ")));
});

describe("readBasicAuth", () => {
  test("refuses what has no password, without repeating it", () => expectRefusal(() => readBasicAuth("hunter2")));
});

describe("faultsOfCredentials", () => {
  test.each<[string, IngressKey[]]>([
    ["several secrets of one name", [aKey("a", "shop", "1"), aKey("a", "shop", "2")]],
    ["one secret of one name, twice", [aKey("a", "shop", "1"), aKey("a", "shop", "1")]],
    ["the same name in two tenants", [aKey("a", "shop", "1"), aKey("b", "shop", "2", ["read"])]],
    ["the same roles in another order", [aKey("a", "shop", "1", ["read", "submit"]), aKey("a", "shop", "2")]],
  ])("finds nothing wrong with %s", (_, keys) => {
    expect(faultsOfCredentials({ keys, webhooks: tenants("a", "b") })).toEqual([]);
  });

  test.each<[string, IngressKey[], RegExp]>([
    [
      "a secret of two names",
      [aKey("a", "shop", "1"), aKey("a", "till", "1")],
      /^a\/till has the secret of a\/shop too/,
    ],
    ["a secret of two tenants", [aKey("a", "shop", "1"), aKey("b", "shop", "1")], /has the secret of a\/shop too/],
    ["a name with two sets of roles", [aKey("a", "shop", "1"), aKey("a", "shop", "2", ["read"])], /other roles/],
    ["a tenant that is not there", [aKey("c", "shop", "1")], /the tenant c, which is not there/],
    ["test beside submit", [aKey("a", "shop", "1", ["test", "submit"])], /test beside submit/],
    ["no role", [aKey("a", "shop", "1", [])], /no role/],
  ])("finds %s", (_, keys, expected) => {
    const faults = faultsOfCredentials({ keys, webhooks: tenants("a", "b") });
    expect(faults.map(({ name, message }) => `${name} ${message}`)).toEqual([expect.stringMatching(expected)]);
  });

  test.each<[string, WebhookCredentials, WebhookCredentials]>([
    ["secret", { secrets: ["1", "hunter2"] }, { secrets: ["hunter2", "3"] }],
    ["password", { secrets: [], basicAuth: "u:hunter2" }, { secrets: [], basicAuth: "u:hunter2" }],
    ["password of another user", { secrets: [], basicAuth: "a:hunter2" }, { secrets: [], basicAuth: "b:hunter2" }],
  ])("finds a webhook %s that two tenants share, and does not repeat it", (_, a, b) => {
    const faults = faultsOfCredentials({ keys: [], webhooks: new Map(Object.entries({ a, b })) });
    expect(faults).toEqual([{ name: "tenants.b", message: expect.stringContaining("of the tenant a") }]);
    expect(JSON.stringify(faults)).not.toContain("hunter2");
  });
});

function aKey(tenant: string, name: string, secret: string, roles: readonly Role[] = ["submit", "read"]): IngressKey {
  return { tenant, name, roles, hash: sha256(secret), origin: `${tenant}/${name}` };
}

function tenants(...names: string[]): Map<string, WebhookCredentials> {
  return new Map(names.map((name) => [name, { secrets: [] }]));
}

function expectRefusal(read: () => unknown): void {
  expect(read).toThrow(CredentialError);
  expect(read).toThrow(expect.objectContaining({ message: expect.not.stringContaining("hunter") }));
}
