import { isRecord } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { hasVendorFacts, VENDOR_FACTS, vendorFile, vendorRows } from "../testing/vendor-facts.ts";
import { parseSealedKeys, SealedKeyError } from "./sealed-key.ts";
import { unseal, UnsealError } from "./unseal.ts";

interface Vector {
  readonly id: string;
  readonly keys: readonly string[];
  readonly sealed: Buffer;
  readonly expect: string;
  readonly expectedPath: string | undefined;
}

const vectors = vendorRows("sealed_vectors.json", readVector);

/** There is one algorithm here; it cannot be asked for by name. */
const OTHER_ALGORITHM = "invalid-algorithm";
/** 16 bytes: the SDK takes the header for a part of the tag and fails to authenticate; here it is too short first. */
const HEADER_AND_NONCE = "derived-header-nonce-only";

/** What the SDK's outcome is called here. */
const CODES: Readonly<Record<string, string>> = {
  "unseal_aggregate:auth": "no_key_opens",
  "unseal_aggregate:truncated": "too_short",
  "unseal_aggregate:inflate": "inflate_failed",
  inflate_limit: "too_large",
  invalid_header: "invalid_header",
  invalid_json: "invalid_json",
  not_an_event: "not_an_event",
};
const REFUSED_KEYS = ["unseal_aggregate:keylength", "unseal_aggregate:auth+keylength", "unseal_aggregate:empty"];

describe.skipIf(!hasVendorFacts)(`unseal by ${VENDOR_FACTS}`, () => {
  test("judges every vector but the one with another algorithm", () => {
    const judged = vectors.filter(
      ({ expect: outcome }) => outcome === "ok" || outcome in CODES || REFUSED_KEYS.includes(outcome),
    );
    expect(vectors.length).toBeGreaterThanOrEqual(35);
    expect(vectors.filter((vector) => !judged.includes(vector)).map(({ id }) => id)).toEqual([OTHER_ALGORITHM]);
  });

  test.each(vectors.filter((vector) => vector.expect === "ok"))("opens $id", ({ keys, sealed, expectedPath = "" }) => {
    const json: unknown = JSON.parse(vendorFile(expectedPath).toString());
    expect(unseal(sealed, parseSealedKeys(keys.join(","))).json).toEqual(json);
  });

  test.each(vectors.filter((vector) => vector.expect in CODES))("refuses $id", (vector) => {
    const code = vector.id === HEADER_AND_NONCE ? "too_short" : CODES[vector.expect];
    expect(() => unseal(vector.sealed, parseSealedKeys(vector.keys.join(",")))).toThrow(
      expect.objectContaining({ name: UnsealError.name, code }),
    );
  });

  test.each(vectors.filter((vector) => REFUSED_KEYS.includes(vector.expect)))("refuses the keys of $id", ({ keys }) => {
    expect(() => parseSealedKeys(keys.join(","))).toThrow(SealedKeyError);
  });
});

function readVector(row: unknown): Vector {
  if (!isRecord(row) || !Array.isArray(row["keys_base64"])) throw new Error("Not a sealed vector.");
  return {
    id: String(row["id"]),
    keys: row["keys_base64"].map(String),
    sealed: Buffer.from(String(row["sealed_base64"]), "base64"),
    expect: String(row["expect"]),
    expectedPath: typeof row["expected_json_path"] === "string" ? row["expected_json_path"] : undefined,
  };
}
