import { anEvent } from "@assay/fingerprint/stand-in";
import { chooseFields } from "@assay/fingerprint";
import { describe, expect, test } from "vitest";
import { readRow } from "./read-row.ts";

const RECEIVED_AT = 1_760_000_000_000;
const event = anEvent({ timestamp: RECEIVED_AT - 500 });

function rowOf(fields: Record<string, unknown>) {
  const read = readRow(JSON.stringify({ event, ...fields }));
  if (!read.ok) throw new Error(read.why);
  return read.row;
}

function faultOf(line: unknown): string | undefined {
  const read = readRow(typeof line === "string" ? line : JSON.stringify(line));
  return read.ok ? undefined : read.why;
}

describe("readRow", () => {
  test("reads all that a row may say", () => {
    const context = { flow: "login", user_id: "u_1", facts: { age: 3 } };
    const checks = { stale: false, ip_mismatch: true, event_age_seconds: 0.5 };
    const outcomes = [{ outcome: "chargeback", label: "fraud", occurred_at: RECEIVED_AT + 5 }];
    const row = rowOf({ context, checks, outcomes, received_at: RECEIVED_AT, kind: "webhook", ruleset: "strict" });
    expect(row).toMatchObject({ context, checks, receivedAt: RECEIVED_AT, kind: "webhook", ruleset: "strict" });
    expect(row.outcomes).toEqual([{ outcome: "chargeback", label: "fraud", occurredAt: RECEIVED_AT + 5 }]);
    expect(row.event).toEqual(event);
  });

  test("takes a bare event, as a sealed result that was received when it was made", () => {
    const read = readRow(JSON.stringify(event));
    expect(read).toMatchObject({
      ok: true,
      row: { kind: "sealed", receivedAt: event.timestamp, checks: {}, outcomes: [] },
    });
  });

  test("takes an event of v3", () => {
    const data = { visitorId: "v", requestId: "1708102555327.NLOjmg", timestamp: RECEIVED_AT };
    const read = readRow(JSON.stringify({ event: { products: { identification: { data } } } }));
    expect(read).toMatchObject({ ok: true, row: { event: { event_id: "1708102555327.NLOjmg" } } });
  });

  test("believes the label of the row before those of its outcomes, and the last of those", () => {
    const told = (label: string, at: number) => ({ label, occurred_at: RECEIVED_AT + at });
    expect(rowOf({ outcomes: [told("fraud", 1), told("legit", 2)] }).label).toBe("legit");
    expect(rowOf({ label: "fraud", outcomes: [told("legit", 2)] }).label).toBe("fraud");
    expect(rowOf({}).label).toBeUndefined();
  });

  test("takes null for absent", () => {
    const absent = {
      context: null,
      received_at: null,
      kind: null,
      checks: null,
      ruleset: null,
      label: null,
      outcomes: null,
    };
    expect(rowOf(absent)).toEqual(rowOf({}));
  });

  test("reads of a v4 event only the fields that are asked for", () => {
    const read = readRow(JSON.stringify({ event: { ...event, vpn: true } }), chooseFields(new Set(["vpn"])));
    expect(read.ok && Object.keys(read.row.event).toSorted()).toEqual([
      "event_id",
      "incremental_identification_status",
      "timestamp",
      "vpn",
    ]);
  });

  test.each([
    ["{", "it is no JSON of at most 1 MiB."],
    ["[]", "it holds no JSON object."],
    [{}, "it is no event: it has neither the keys of v4"],
    [{ event: { event_id: "x" } }, "event is no event: it has neither"],
    [{ received_at: RECEIVED_AT }, "A row has its event under event."],
    [{ event, lable: "fraud" }, "it has a field that is not known here. Did you mean label?"],
    [{ event, anna: "fraud" }, "it has a field that is not known here. Known are: event,"],
    [{ event, received_at: 1_760_000_000 }, "received_at must be a time in unix milliseconds"],
    [{ event, label: "bad" }, "label must be fraud or legit."],
    [{ event, kind: "seal" }, "kind must be one of lookup,"],
    [{ event, ruleset: 7 }, "ruleset must be a text."],
    [{ event, checks: { stael: true } }, "Did you mean stale?"],
    [{ event, checks: { stale: "no" } }, "checks.stale must be true or false."],
    [{ event, checks: { use_count: "1" } }, "checks.use_count must be a number."],
    [{ event, context: { flow: "Log In" } }, "context.flow must be"],
    [{ event, outcomes: {} }, "outcomes must be a list."],
    [{ event, outcomes: [{ outcome: "failed" }] }, "an outcome needs occurred_at"],
    [{ event, outcomes: [{ outcom: "failed" }] }, "Did you mean outcome?"],
  ])("says what is wrong with %j", (line, why) => {
    expect(faultOf(line)).toContain(why);
  });

  test("repeats nothing that a line says of a visitor", () => {
    const faults = [
      '{"anna@example.com',
      { event, "anna@example.com": 1 },
      { event, context: { ip: "anna@example.com" } },
    ];
    for (const line of faults) expect(faultOf(line)).not.toContain("anna@");
  });
});
