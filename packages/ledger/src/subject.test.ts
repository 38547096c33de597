import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concerns, type Subject, strippedMeta, tracesOf } from "./subject.ts";

const at = 1_760_000_000_000;

describe("concerns", () => {
  test.each<[Subject["kind"], string, unknown, boolean]>([
    ["user", "anna", { context: { user_id: "anna" } }, true],
    ["user", "anna", { reasons: [{ evidence: { "context.user_id": "anna" } }] }, true],
    ["user", "anna", { context: { reference: "anna" } }, false],
    ["user", "anna", { context: { user_id: "annabel" } }, false],
    ["visitor", "V1", { identification: { visitor_id: "V1" } }, true],
    ["visitor", "V1", { supplementary_id_high_recall: { visitor_id: "V1" } }, true],
    ["visitor", "V1", { products: { identification: { data: { visitorId: "V1" } } } }, true],
    ["linked_id", "L1", { linked_id: "L1" }, true],
    ["linked_id", "L1", { linkedId: "L1" }, true],
    ["reference", "order1", { context: { reference: "order1" } }, true],
    ["reference", "order1", { message: "order1" }, false],
    ["ip", "203.0.113.7", { context: { ip: "203.0.113.7" } }, true],
    ["ip", "203.0.113.7", { evidence: { ip_address: "203.0.113.7" } }, true],
    ["ip", "203.0.113.7", { ip_address: "::ffff:203.0.113.7" }, true],
    ["ip", "203.0.113.7", { ip_address: "203.0.113.70" }, false],
    ["ip", "2001:db8::1", { ip_info: { v6: { address: "2001:0db8:0:0:0:0:0:1" } } }, true],
    ["ip", "2001:db8::1", { ip_info: { v6: { address: "2001:db8::2" } } }, false],
  ])("of %s %s in %j is %s", (kind, value, document, expected) => {
    expect(concerns({ kind, value }, document)).toBe(expected);
  });

  test("finds a name at any depth, and in no document without it", () => {
    const tree = fc.jsonValue({ maxDepth: 6 });
    fc.assert(
      fc.property(tree, fc.array(fc.string()), (leaf, path) => {
        const wrap = (inner: unknown) => path.reduce<unknown>((one, name) => ({ [`x${name}`]: [one] }), inner);
        const subject = { kind: "user", value: "somebody-that-no-tree-holds" } as const;
        expect(concerns(subject, wrap({ leaf, user_id: subject.value }))).toBe(true);
        expect(concerns(subject, wrap(leaf))).toBe(false);
      }),
    );
  });

  test("takes a document that is deeper than the stack", () => {
    const deep = JSON.parse(`${"[".repeat(5000)}${"]".repeat(5000)}`);
    let document: unknown = { user_id: "anna" };
    for (let n = 0; n < 100_000; n++) document = [document];
    expect(concerns({ kind: "user", value: "anna" }, document)).toBe(true);
    expect(concerns({ kind: "user", value: "anna" }, deep)).toBe(false);
  });
});

describe("tracesOf", () => {
  test("takes what a caller says as old as the event that he presents", () => {
    const meta = { kind: "sealed", context: { user_id: "anna" } } as const;
    const event = { event_id: "e1", timestamp: at - 1000, identification: { visitor_id: "V1" } };
    expect(tracesOf({ meta, receivedAt: at, event })).toEqual([
      { kind: "event", value: "e1", at: 0 },
      { kind: "visitor", value: "V1", at: at - 1000 },
      { kind: "user", value: "anna", at: at - 1000 },
    ]);
  });

  test("takes the claimed event of a submission without one, and no test event", () => {
    expect(tracesOf({ meta: { kind: "lookup", event_id: "e1" }, receivedAt: at })).toEqual([
      { kind: "event", value: "e1", at: 0 },
    ]);
    expect(tracesOf({ meta: { kind: "lookup", event_id: "test_block", test: true }, receivedAt: at })).toEqual([]);
  });
});

describe("strippedMeta", () => {
  test("keeps what chooses the ruleset, and nothing of anybody", () => {
    const context = { flow: "login", user_id: "anna", ip: "203.0.113.7", facts: { name: "Anna" } };
    expect(strippedMeta({ kind: "lookup", event_id: "e1", ruleset: "login", context, traceparent: "00" })).toEqual({
      kind: "lookup",
      erased: true,
      ruleset: "login",
      context: { flow: "login" },
    });
  });
});
