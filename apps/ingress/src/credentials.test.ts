import { describe, expect, test } from "vitest";
import { CredentialError, readCredential, sha256 } from "./credentials.ts";

describe("readCredential", () => {
  test("reads named keys, and default where there is no name", () => {
    expect(readCredential("ASSAY_INGRESS_KEYS", "shop:one, two ,shop:three")).toEqual({
      keys: [
        { name: "shop", hash: sha256("one") },
        { name: "default", hash: sha256("two") },
        { name: "shop", hash: sha256("three") },
      ],
    });
  });

  test("takes what follows the first colon as the secret", () => {
    expect(readCredential("ASSAY_INGRESS_KEYS", "shop:a:b")).toEqual({ keys: [{ name: "shop", hash: sha256("a:b") }] });
  });

  test("reads several webhook secrets", () => {
    expect(readCredential("ASSAY_WEBHOOK_SECRETS", "one,two")).toEqual({ webhookSecrets: ["one", "two"] });
  });

  test.each([
    ["ASSAY_INGRESS_KEYS", "Shop Floor:hunter2"],
    ["ASSAY_INGRESS_KEYS", "shop:"],
    ["ASSAY_INGRESS_KEYS", "shop:hunter 2"],
    ["ASSAY_INGRESS_KEYS", "shop:hunter2,till:hunter2"],
    ["ASSAY_INGRESS_KEYS", ","],
    ["ASSAY_WEBHOOK_SECRETS", " , "],
    ["ASSAY_WEBHOOK_BASIC_AUTH", "hunter2"],
  ] as const)("refuses %s %j without repeating it", (variable, text) => {
    const refused = expect.objectContaining({ message: expect.not.stringContaining("hunter") });
    expect(() => readCredential(variable, text)).toThrow(CredentialError);
    expect(() => readCredential(variable, text)).toThrow(refused);
  });
});
