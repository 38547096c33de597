import { signWebhook } from "@assay/fingerprint";
import { describe, expect, test } from "vitest";
import { mayDo, type Role, ROLES } from "@assay/protocol";
import { admitWebhook, authenticate, authorize, verifyWebhook, type WebhookProof } from "./authenticate.ts";
import { type IngressKey, sha256, type WebhookCredentials } from "./credentials.ts";

const KEYS = [
  aKey("0", "shop", "old"),
  aKey("0", "shop", "new"),
  aKey("eu", "till", "other", ["read"]),
  aKey("us", "till", "third", ["submit"]),
];
const NO_PROOF: WebhookProof = { signature: undefined, authorization: undefined, token: undefined };
const SIGNED: WebhookCredentials = { secrets: ["one", "two"], basicAuth: "fp:hunter2" };
const BASIC: WebhookCredentials = { secrets: [], basicAuth: "fp:hunter2" };

describe("authenticate", () => {
  test.each([
    ["Bearer old", "0", "shop", ["submit", "read"]],
    ["bearer new", "0", "shop", ["submit", "read"]],
    ["Bearer  other", "eu", "till", ["read"]],
    ["Bearer third", "us", "till", ["submit"]],
  ])("%j is of tenant %s, the key %s with the roles %j", (header, tenant, name, roles) => {
    expect(authenticate(header, KEYS)).toMatchObject({ tenant, name, roles });
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

  test("looks at every key, whichever it is", () => {
    const looked: string[] = [];
    const watched = KEYS.map((key) => ({
      ...key,
      get hash() {
        looked.push(`${key.tenant}/${key.name}`);
        return key.hash;
      },
    }));
    authenticate("Bearer old", watched);
    expect(looked).toHaveLength(KEYS.length);
  });
});

describe("authorize", () => {
  const pairs = ROLES.flatMap((held) => ROLES.map((needed) => [held, needed] as const));

  test.each(pairs.filter(([held, needed]) => mayDo([held], needed)))(
    "lets %s in where %s is needed",
    (held, needed) => {
      expect(() => authorize([held], [needed])).not.toThrow();
    },
  );

  test.each(pairs.filter(([held, needed]) => !mayDo([held], needed)))(
    "refuses %s where %s is needed, and says so",
    (held, needed) => {
      const refused = { code: "forbidden", message: expect.stringContaining(`the role ${needed}. Yours has ${held}`) };
      expect(() => authorize([held], [needed])).toThrow(expect.objectContaining(refused));
    },
  );

  test("lets in whoever has one of several roles", () => {
    expect(() => authorize(["test"], ["submit", "test"])).not.toThrow();
  });

  test("lets nobody in where no role is named", () => {
    expect(() => authorize([...ROLES], [])).toThrow(expect.objectContaining({ code: "forbidden" }));
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
    expect(() => admitWebhook(NO_PROOF, { secrets: [] })).toThrow(refused);
  });
});

describe("verifyWebhook", () => {
  const body = Buffer.from('{"event_id":"1"}');

  test.each(["one", "two"])("takes what the secret %s signed", (secret) => {
    expect(() => verifyWebhook(body, signWebhook(body, secret), SIGNED.secrets)).not.toThrow();
  });

  test.each([signWebhook(body, "three"), undefined, "v1="])("refuses the signature %j", (signature) => {
    const refused = expect.objectContaining({ code: "webhook_signature_invalid" });
    expect(() => verifyWebhook(body, signature, SIGNED.secrets)).toThrow(refused);
  });
});

function basic(pair: string): string {
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

function aKey(tenant: string, name: string, secret: string, roles: readonly Role[] = ["submit", "read"]): IngressKey {
  return { tenant, name, roles, hash: sha256(secret), origin: "test" };
}
