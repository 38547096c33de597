import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProblemError } from "./problem.ts";
import { isEventId, MAX_BODY_BYTES, MAX_SEALED_BYTES, readIdempotencyKey, readSubmission } from "./submission.ts";

function problemOf(act: () => unknown): ProblemError {
  try {
    act();
  } catch (error) {
    if (error instanceof ProblemError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

const EVENT_ID = "1708102555327.NLOjmg";

describe("readSubmission", () => {
  test("makes an event id a lookup", () => {
    expect(readSubmission({ event_id: EVENT_ID })).toEqual({
      submission: { kind: "lookup", event_id: EVENT_ID },
      invalidContextFields: [],
    });
  });

  test("makes a sealed result its bytes, with the event id as a claim", () => {
    const bytes = Buffer.from([0x9e, 0x85, 0xdc, 0xed, 1, 2, 3]);
    const { submission } = readSubmission({ event_id: EVENT_ID, sealed_result: bytes.toString("base64") });
    expect(submission).toMatchObject({ kind: "sealed", event_id: EVENT_ID });
    expect(Buffer.from(submission.payload ?? []).equals(bytes)).toBe(true);
  });

  test("reads any bytes back from their base64, also when it is wrapped", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 500 }), (bytes) => {
        const text = Buffer.from(bytes).toString("base64");
        const wrapped = `${text.replaceAll(/.{76}/g, "$&\r\n")}\n`;
        expect(Buffer.from(readSubmission({ sealed_result: wrapped }).submission.payload ?? []).equals(bytes)).toBe(
          true,
        );
      }),
    );
  });

  test("takes the agent's own result as it is", () => {
    const result = {
      event_id: EVENT_ID,
      visitor_id: "v",
      sealed_result: null,
      suspect_score: 3,
      cache_hit: false,
      confidence: { score: 1 },
      visitor_found: true,
      first_seen_at: null,
      last_seen_at: null,
      zero_trust: ["visitor_id"],
    };
    expect(readSubmission(result).submission).toEqual({ kind: "lookup", event_id: EVENT_ID });
  });

  test("takes null for absent", () => {
    const body = { event_id: EVENT_ID, sealed_result: null, ruleset: null, context: null };
    expect(readSubmission(body).submission).toEqual({ kind: "lookup", event_id: EVENT_ID });
  });

  test("names the context fields that cannot be judged", () => {
    const read = readSubmission({ event_id: EVENT_ID, context: { ip: "10.0.0.1", flow: "login" } });
    expect(read).toEqual({
      submission: { kind: "lookup", event_id: EVENT_ID, context: { flow: "login" } },
      invalidContextFields: ["ip"],
    });
  });

  test.each([
    ["requestId", "event_id"],
    ["request_id", "event_id"],
    ["eventId", "event_id"],
    ["event_ID", "event_id"],
    ["sealedResult", "sealed_result"],
    ["sealed_reslt", "sealed_result"],
    ["rulesets", "ruleset"],
    ["Context", "context"],
    ["user_id", "context.user_id"],
    ["ip", "context.ip"],
  ])("refuses %s and spells it %s", (name, meant) => {
    const problem = problemOf(() => readSubmission({ [name]: "x", event_id: EVENT_ID }));
    expect(problem).toMatchObject({ code: "unknown_field", field: name });
    expect(problem.message).toContain(`Did you mean ${meant}?`);
  });

  test("refuses what it does not know and lists what it knows", () => {
    const problem = problemOf(() => readSubmission({ event_id: EVENT_ID, amount: 5 }));
    expect(problem.message).toContain("Known are: event_id, sealed_result, ruleset, context.");
  });

  test("repeats no more than the beginning of a long name", () => {
    const problem = problemOf(() => readSubmission({ ["q".repeat(100_000)]: 1 }));
    expect(problem.field).toBe(`${"q".repeat(64)}…`);
    expect(problem.message.length).toBeLessThan(200);
  });

  test.each([[null], [[]], ["text"], [7], [undefined]])("refuses the body %j", (body) => {
    expect(problemOf(() => readSubmission(body)).code).toBe("invalid_field");
  });

  test.each([[{}], [{ event_id: null }], [{ visitor_id: "v" }]])("refuses %j, which names no event", (body) => {
    expect(problemOf(() => readSubmission(body))).toMatchObject({ code: "missing_field", field: "event_id" });
  });

  test.each(["", "a b", "a/b", "..", ".", "x".repeat(65), 7])("refuses the event id %j", (eventId) => {
    expect(problemOf(() => readSubmission({ event_id: eventId })).field).toBe("event_id");
  });

  test.each(["", "  ", "not base64!", "a=b", "abc-_", 7, "====", "ab==="])("refuses the sealed result %j", (sealed) => {
    expect(problemOf(() => readSubmission({ sealed_result: sealed })).field).toBe("sealed_result");
  });

  test("bounds a sealed result by its decoded bytes", () => {
    const largest = Buffer.alloc(MAX_SEALED_BYTES).toString("base64");
    expect(readSubmission({ sealed_result: largest }).submission.payload).toHaveLength(MAX_SEALED_BYTES);
    const larger = Buffer.alloc(MAX_SEALED_BYTES + 1).toString("base64");
    expect(problemOf(() => readSubmission({ sealed_result: larger }))).toMatchObject({
      code: "payload_too_large",
      field: "sealed_result",
    });
  });

  test("leaves room in the body for the largest sealed result and the largest context", () => {
    const context = {
      flow: "f".repeat(64),
      user_id: "u".repeat(256),
      reference: "r".repeat(256),
      origin: `https://${"o".repeat(504)}`,
      user_agent: "a".repeat(2048),
      linked_id: "l".repeat(256),
      facts: { a: "x".repeat(4088) },
    };
    const body = { sealed_result: Buffer.alloc(MAX_SEALED_BYTES).toString("base64"), context };
    expect(readSubmission(body).submission.context).toEqual(context);
    expect(JSON.stringify(body).length).toBeLessThan(MAX_BODY_BYTES);
  });

  test("judges a hostile sealed result in no time", () => {
    const startedAt = performance.now();
    problemOf(() => readSubmission({ sealed_result: `A${" ".repeat(150_000)}!` }));
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  test.each(["", "A", "a b", "../x", "x".repeat(65), 7])("refuses the ruleset %j", (ruleset) => {
    expect(problemOf(() => readSubmission({ event_id: EVENT_ID, ruleset })).field).toBe("ruleset");
  });

  test("answers any JSON with a submission or a problem, and nothing else", () => {
    const body = fc.record(
      { event_id: fc.jsonValue(), sealed_result: fc.jsonValue(), ruleset: fc.jsonValue(), context: fc.jsonValue() },
      { requiredKeys: [] },
    );
    const answerTo = (given: unknown) => {
      try {
        return readSubmission(given).submission.kind;
      } catch (error) {
        return error instanceof ProblemError ? "problem" : error;
      }
    };
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), body), (given) => {
        expect(["lookup", "sealed", "problem"]).toContain(answerTo(given));
      }),
    );
  });
});

describe("isEventId", () => {
  test.each([EVENT_ID, "1", "a-b_c.d", "x".repeat(64)])("knows %s", (text) => {
    expect(isEventId(text)).toBe(true);
  });
});

describe("readIdempotencyKey", () => {
  test.each([
    ["login-7f3a", "login-7f3a"],
    ['"login-7f3a"', "login-7f3a"],
    ["x".repeat(255), "x".repeat(255)],
    ['a"b', 'a"b'],
  ])("reads %s", (given, expected) => {
    expect(readIdempotencyKey(given, undefined)).toBe(expected);
  });

  test.each([[undefined], [""]])("asks for one when it is %j", (given) => {
    expect(problemOf(() => readIdempotencyKey(given, undefined)).code).toBe("idempotency_key_missing");
  });

  test.each(["a b", "ü", '""', "\u0001", "x".repeat(256)])("refuses %j", (given) => {
    expect(problemOf(() => readIdempotencyKey(given, undefined)).code).toBe("idempotency_key_invalid");
  });

  test.each([EVENT_ID, `"${EVENT_ID}"`])("refuses the event id itself, given as %s", (given) => {
    expect(problemOf(() => readIdempotencyKey(given, EVENT_ID)).code).toBe("idempotency_key_is_event_id");
  });
});
