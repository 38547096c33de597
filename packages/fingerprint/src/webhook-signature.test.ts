import { isRecord } from "@assay/protocol";
import { isValidWebhookSignature } from "@fingerprint/node-sdk";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasVendorFacts, VENDOR_FACTS, vendorFile, vendorRows } from "../testing/vendor-facts.ts";
import { signWebhook, verifySignature } from "./webhook-signature.ts";

const BODY = Buffer.from("data");
const GOOD = "v1=1b2c16b75bd2a870c114153ccda5bcfca63314bc722fa160d690de133ccbb9db";

describe("signWebhook", () => {
  test("signs as the vendor's own example", () => {
    expect(signWebhook(BODY, "secret")).toBe(GOOD);
  });
});

describe("verifySignature", () => {
  test.each([
    ["the signature", GOOD, true],
    ["one of several", `v1=deadbeef,${GOOD}`, true],
    ["another version beside it", `v2=abc,${GOOD}`, true],
    ["a second equals sign", `${GOOD}=`, true],
    ["a space after the comma", `v1=deadbeef, ${GOOD}`, false],
    ["capitals", GOOD.toUpperCase(), false],
    ["a version without a hash", "v1", false],
    ["an empty hash", "v1=", false],
    ["a hash of the right length", `v1=${"0".repeat(64)}`, false],
    ["a hash of as many characters but more bytes", `v1=${"ž".repeat(64)}`, false],
    ["an empty header", "", false],
    ["no header", undefined, false],
  ])("judges %s", (_, header, valid) => {
    expect(verifySignature(BODY, header, ["secret"])).toBe(valid);
  });

  test("takes any of several secrets", () => {
    expect(verifySignature(BODY, GOOD, ["new", "secret"])).toBe(true);
    expect(verifySignature(BODY, GOOD, ["new", "newer"])).toBe(false);
  });

  test("verifies nothing without a secret", () => {
    expect(verifySignature(BODY, GOOD, [])).toBe(false);
  });

  test("verifies nothing by an empty secret", () => {
    expect(verifySignature(BODY, signWebhook(BODY, ""), [""])).toBe(false);
  });

  test("refuses a body with any byte changed", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (body, at, change) => {
        const header = signWebhook(body, "secret");
        const changed = body.map((byte, index) => (index === at % body.length ? byte ^ change : byte));
        expect(verifySignature(body, header, ["secret"])).toBe(true);
        expect(verifySignature(changed, header, ["secret"])).toBe(false);
      }),
    );
  });

  test("judges any header as the vendor's SDK does", () => {
    const part = fc.constantFrom(GOOD, GOOD.slice(3), "v1", "v2", "V1", "=", ",", " ", "", "deadbeef", "ž");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), fc.constantFrom("secret", "other"), (parts, secret) => {
        const header = parts.join("");
        expect(verifySignature(BODY, header, [secret])).toBe(isValidWebhookSignature({ header, data: BODY, secret }));
      }),
      { numRuns: 500 },
    );
  });
});

const vectors = vendorRows("webhook_signature_vectors.json", (row) => {
  if (!isRecord(row)) throw new Error("Not a signature vector.");
  const { id, body, body_path: path, signature_header: header, secret, valid } = row;
  const bytes = typeof path === "string" ? vendorFile(path) : Buffer.from(String(body));
  return { id: String(id), bytes, header: String(header), secret: String(secret), valid };
});

describe.skipIf(!hasVendorFacts)(`verifySignature by ${VENDOR_FACTS}`, () => {
  test("has vectors to judge", () => {
    expect(vectors.length).toBeGreaterThanOrEqual(21);
  });

  test.each(vectors)("judges $id", ({ bytes, header, secret, valid }) => {
    expect(verifySignature(bytes, header, [secret])).toBe(valid);
  });
});
