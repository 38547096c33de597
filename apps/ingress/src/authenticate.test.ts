import { signWebhook } from "@assay/fingerprint";
import { describe, expect, test } from "vitest";
import { admitWebhook, authenticate, verifyWebhook, type WebhookProof } from "./authenticate.ts";
import { type Credentials, sha256 } from "./credentials.ts";

const KEYS = [
  { name: "shop", hash: sha256("old") },
  { name: "shop", hash: sha256("new") },
  { name: "till", hash: sha256("other") },
];
const NO_PROOF: WebhookProof = { signature: undefined, authorization: undefined, token: undefined };
const SIGNED: Credentials = { keys: [], webhookSecrets: ["one", "two"], webhookBasicAuth: "fp:hunter2" };
const BASIC: Credentials = { keys: [], webhookSecrets: [], webhookBasicAuth: "fp:hunter2" };

describe("authenticate", () => {
  test.each([
    ["Bearer old", "shop"],
    ["bearer new", "shop"],
    ["Bearer  other", "till"],
  ])("%j is the key %s", (header, name) => {
    expect(authenticate(header, KEYS)).toBe(name);
  });

  test.each([undefined, "", "Bearer", "Bearer ", "Bearer olD", "Bearer old new", "old", "Basic old"])(
    "refuses %j",
    (header) => {
      expect(() => authenticate(header, KEYS)).toThrow(expect.objectContaining({ code: "unauthorized" }));
    },
  );

  test("lets nobody in without keys", () => {
    expect(() => authenticate("Bearer old", [])).toThrow(expect.objectContaining({ code: "unauthorized" }));
  });
});

describe("admitWebhook", () => {
  test("takes a signed one for the body to decide", () => {
    expect(() => admitWebhook({ ...NO_PROOF, signature: "v1=00" }, SIGNED)).not.toThrow();
  });

  test.each([
    ["nothing", {}],
    ["an empty signature", { signature: "" }],
    ["the right password", { authorization: basic("fp:hunter2"), token: "hunter2" }],
  ])("asks for a signature where there is a secret, also of %s", (_, proof) => {
    const refused = expect.objectContaining({ code: "webhook_signature_missing" });
    expect(() => admitWebhook({ ...NO_PROOF, ...proof }, SIGNED)).toThrow(refused);
  });

  test.each([
    ["user and password", { authorization: basic("fp:hunter2") }],
    ["the password as token", { token: "hunter2" }],
  ])("takes %s where there is no secret", (_, proof) => {
    expect(() => admitWebhook({ ...NO_PROOF, ...proof }, BASIC)).not.toThrow();
  });

  test.each([
    ["nothing", {}],
    ["another user", { authorization: basic("xx:hunter2") }],
    ["another password", { authorization: basic("fp:hunter3") }],
    ["another token", { token: "hunter3" }],
    ["the whole pair as token", { token: "fp:hunter2" }],
    ["a signature", { signature: "v1=00" }],
  ])("refuses %s where a password is asked for", (_, proof) => {
    const refused = expect.objectContaining({ code: "unauthorized" });
    expect(() => admitWebhook({ ...NO_PROOF, ...proof }, BASIC)).toThrow(refused);
  });

  test("refuses all where nothing is configured", () => {
    const refused = expect.objectContaining({ code: "webhook_auth_not_configured", retryable: true });
    expect(() => admitWebhook(NO_PROOF, { keys: [], webhookSecrets: [] })).toThrow(refused);
  });
});

describe("verifyWebhook", () => {
  const body = Buffer.from('{"event_id":"1"}');

  test.each(["one", "two"])("takes what the secret %s signed", (secret) => {
    expect(() => verifyWebhook(body, signWebhook(body, secret), SIGNED.webhookSecrets)).not.toThrow();
  });

  test.each([signWebhook(body, "three"), undefined, "v1="])("refuses the signature %j", (signature) => {
    const refused = expect.objectContaining({ code: "webhook_signature_invalid" });
    expect(() => verifyWebhook(body, signature, SIGNED.webhookSecrets)).toThrow(refused);
  });
});

function basic(pair: string): string {
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}
