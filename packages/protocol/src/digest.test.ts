import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, contentDigest, differingGroups } from "./digest.ts";
import type { Submission } from "./submission.ts";

const SUBMISSION: Submission = {
  kind: "sealed",
  payload: Buffer.from("abc"),
  context: { flow: "login", ip: "1.2.3.4" },
};

describe("contentDigest", () => {
  test("stays what it is: it is kept in Redis across versions", () => {
    expect(contentDigest(SUBMISSION)).toBe(
      "1.ydADa-1nRLzfaS_J.47DEQpj8HBSa-_TI.ungWv48Bz-pBQUDe.47DEQpj8HBSa-_TI.g9EeQdUH7YRfv0YR",
    );
  });

  test("does not look at observed_at or traceparent", () => {
    const retried = { ...SUBMISSION, traceparent: "00-1", context: { ...SUBMISSION.context, observed_at: 5 } };
    expect(contentDigest(retried)).toBe(contentDigest(SUBMISSION));
  });

  test("does not look at the order of keys", () => {
    const turned = { context: { ip: "1.2.3.4", flow: "login" }, payload: Buffer.from("abc"), kind: "sealed" } as const;
    expect(contentDigest(turned)).toBe(contentDigest(SUBMISSION));
  });

  test("takes no context and an empty one for the same", () => {
    expect(contentDigest({ kind: "lookup", event_id: "e" })).toBe(
      contentDigest({ kind: "lookup", event_id: "e", context: { observed_at: 1 } }),
    );
  });
});

describe("differingGroups", () => {
  test.each([
    ["kind", { ...SUBMISSION, kind: "lookup" }],
    ["event_id", { ...SUBMISSION, event_id: "e" }],
    ["sealed_result", { ...SUBMISSION, payload: Buffer.from("abd") }],
    ["ruleset", { ...SUBMISSION, ruleset: "strict" }],
    ["context", { ...SUBMISSION, context: { flow: "checkout", ip: "1.2.3.4" } }],
    ["context", { ...SUBMISSION, context: { ...SUBMISSION.context, facts: { a: 1 } } }],
  ] as const)("names %s when that differs, and nothing else", (group, other) => {
    expect(differingGroups(contentDigest(SUBMISSION), contentDigest(other))).toEqual([group]);
  });

  test("is empty for equal digests", () => {
    expect(differingGroups(contentDigest(SUBMISSION), contentDigest(SUBMISSION))).toEqual([]);
  });

  test("says nothing about digests of two versions", () => {
    expect(differingGroups("1.a.b.c.d.e", "2.x.b.c.d.e")).toEqual([]);
  });
});

describe("canonicalJson", () => {
  test("writes equal values as equal text, whatever the order of keys", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).toReversed());
        expect(canonicalJson(turned)).toBe(canonicalJson(value));
      }),
    );
  });

  test("sorts keys at every depth and keeps the order of lists", () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }, 3], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1},3]}');
  });

  test("loses nothing", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
