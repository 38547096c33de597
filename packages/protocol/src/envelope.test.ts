import { describe, expect, test } from "vitest";
import { envelopeOf, readEnvelope, redeliveryOf } from "./envelope.ts";
import type { Verdict } from "./verdict.ts";

const VERDICT: Verdict = {
  schema: "assay.verdict/1",
  id: "s_1",
  kind: "lookup",
  action: "allow",
  score: 0,
  reasons: [],
  shadow: [],
  unknown: [],
  checks: {},
  coverage: { rules: 0, judged: 0 },
  ruleset: { name: "default", digest: "d", engine: "1" },
  received_at: 1,
  decided_at: 2,
};

describe("envelopeOf", () => {
  test("carries type, id and time beside the verdict", () => {
    expect(envelopeOf(VERDICT)).toEqual({ type: "verdict.decided", id: "s_1", at: 2, data: VERDICT });
  });
});

describe("readEnvelope", () => {
  test("reads what envelopeOf wrote", () => {
    const envelope = envelopeOf(VERDICT);
    expect(readEnvelope(JSON.stringify(envelope))).toEqual(envelope);
  });

  test("passes over a type of a later version", () => {
    expect(readEnvelope('{"type":"review.closed"}')).toBeUndefined();
  });

  test("reads what is delivered again for its own group alone", () => {
    const again = JSON.stringify(redeliveryOf({ ...envelopeOf(VERDICT) }, "crm"));
    expect(readEnvelope(again, "crm")).toEqual(envelopeOf(VERDICT));
    expect(readEnvelope(JSON.stringify(redeliveryOf(JSON.parse(again), "crm")), "crm")).toEqual(envelopeOf(VERDICT));
    expect([readEnvelope(again, "orders"), readEnvelope(again)]).toEqual([undefined, undefined]);
  });

  test("throws on what is not JSON", () => {
    expect(() => readEnvelope("{")).toThrow(SyntaxError);
  });

  test("passes a verdict of a later schema on as it is", () => {
    const later = {
      type: "verdict.decided",
      id: "s_1",
      at: 2,
      by: "x",
      data: { ...VERDICT, schema: "assay.verdict/2", new: 1 },
    };
    expect(readEnvelope(JSON.stringify(later))).toEqual(later);
  });

  test.each([
    ["no object", "[]"],
    ["no type", "{}"],
    ["no verdict", '{"type":"verdict.decided","id":"s_1"}'],
    ["a verdict of no schema", envelopeWith({ schema: undefined })],
    ["a verdict of another thing's schema", envelopeWith({ schema: "assay.review/1" })],
    ["a verdict without an id", envelopeWith({ id: undefined })],
    ["a verdict of another submission", envelopeWith({ id: "s_2" })],
    ["a verdict without an action", envelopeWith({ action: 1 })],
    ["a verdict whose context is none", envelopeWith({ context: "login" })],
  ])("throws on %s", (_, text) => {
    expect(() => readEnvelope(text)).toThrow(TypeError);
  });
});

function envelopeWith(fields: object): string {
  return JSON.stringify({ type: "verdict.decided", id: "s_1", at: 2, data: { ...VERDICT, ...fields } });
}
