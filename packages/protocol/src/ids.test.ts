import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deliveryId, isSubmissionId, redriveId, redriveOf, submissionId, webhookId } from "./ids.ts";

describe("submissionId", () => {
  test.each([
    ["0", "default", "login-7f3a", "s_mzzpllie4mehvy3njrfqhb6c5r"],
    ["acme", "backend", "order 1", "s_skgus6kw3yjnk37ehh4mxgrvw3"],
  ])("of %s, %s, %s stays %s: clients in other languages make the same", (tenant, keyName, key, id) => {
    expect(submissionId(tenant, keyName, key)).toBe(id);
  });

  test("tells any two operations apart, wherever their parts are cut", () => {
    const part = fc.string({ maxLength: 6, unit: fc.constantFrom("a", "b", ":", "1", "2", "ü") });
    const parts = fc.tuple(part, part, part);
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const isSame = JSON.stringify(a) === JSON.stringify(b);
        expect(submissionId(...a) === submissionId(...b)).toBe(isSame);
      }),
    );
  });

  test("does not change when text moves from one part to the next", () => {
    expect(submissionId("0", "ab", "c")).not.toBe(submissionId("0", "a", "bc"));
    expect(submissionId("0", "1:a", "b")).not.toBe(submissionId("0", "1", "a1:b"));
  });

  test("holds none of the caller's text", () => {
    expect(submissionId("tenantt", "keyname", "alice")).toMatch(/^s_[a-z2-7]{26}$/);
  });
});

describe("webhookId", () => {
  test("hangs on tenant and event id, and is never a submission's", () => {
    expect(webhookId("0", "1708102555327.NLOjmg")).toBe("w_uw4be5aeck6th7yjk2whhdcv72");
    expect(webhookId("1", "1708102555327.NLOjmg")).not.toBe(webhookId("0", "1708102555327.NLOjmg"));
  });
});

describe("deliveryId", () => {
  test("hangs on tenant, endpoint and verdict, and on nothing that may change between two tries", () => {
    const id = deliveryId("0", "orders", "s_1");
    expect(id).toMatch(/^wh_[a-z2-7]{26}$/);
    expect(deliveryId("0", "orders", "s_1")).toBe(id);
    const others = [deliveryId("1", "orders", "s_1"), deliveryId("0", "desk", "s_1"), deliveryId("0", "orders", "s_2")];
    expect(new Set([id, ...others]).size).toBe(4);
  });
});

describe("isSubmissionId", () => {
  const hash = "mzzpllie4mehvy3njrfqhb6c5r";

  test.each([`s_${hash}`, `w_${hash}`, `b_${hash}`, `s_${hash}~1`, `s_${hash}~999`])("knows %s", (id) => {
    expect(isSubmissionId(id)).toBe(true);
  });

  test.each([
    "",
    `x_${hash}`,
    `s_${hash}a`,
    `s_${hash.slice(1)}`,
    `s_${hash}~`,
    `s_${hash}~1000`,
    `s_${hash}\n`,
    `S_${hash.toUpperCase()}`,
  ])("refuses %j", (id) => {
    expect(isSubmissionId(id)).toBe(false);
  });
});

describe("redriveId", () => {
  const id = "s_mzzpllie4mehvy3njrfqhb6c5r";

  test.each([
    [id, `${id}~1`],
    [`${id}~1`, `${id}~2`],
    [`${id}~9`, `${id}~10`],
    [`${id}~998`, `${id}~999`],
  ])("of %s is %s, and leads back", (before, after) => {
    expect(redriveId(before)).toBe(after);
    expect(redriveOf(after)).toBe(before);
  });

  test.each([`${id}~999`, "x", ""])("of %j is none", (before) => {
    expect(redriveId(before)).toBeUndefined();
  });
});

describe("redriveOf", () => {
  test.each(["s_mzzpllie4mehvy3njrfqhb6c5r", "x~1", ""])("is nothing for %j", (id) => {
    expect(redriveOf(id)).toBeUndefined();
  });
});
