import { describe, expect, test } from "vitest";
import { readContext } from "./context.ts";
import { ProblemError } from "./problem.ts";

function problemOf(context: unknown): ProblemError {
  try {
    readContext(context);
  } catch (error) {
    if (error instanceof ProblemError) return error;
    throw error;
  }
  throw new Error("the context was accepted");
}

describe("readContext", () => {
  test("returns every field as it was given", () => {
    const context = {
      flow: "login",
      user_id: "u-1",
      reference: "order 7",
      ip: "81.2.69.142",
      origin: "https://shop.example",
      user_agent: "Mozilla/5.0",
      linked_id: "l",
      visitor_id: "v",
      observed_at: 1_700_000_000_000,
      facts: { order_value_eur: 12.5, is_new: true, delivery: "parcel", tags: ["a", "b"] },
    };
    expect(readContext(context)).toEqual({ context, invalidFields: [] });
  });

  test("takes null for absent, everywhere", () => {
    const read = readContext({ flow: null, ip: null, user_id: null, observed_at: null, facts: { a: null, b: 1 } });
    expect(read.context).toEqual({ facts: { b: 1 } });
  });

  test.each([[null], [[]], ["login"], [7]])("refuses %j, which is no object", (value) => {
    expect(problemOf(value)).toMatchObject({ code: "invalid_field", field: "context" });
  });

  test.each([
    ["userId", "Did you mean context.user_id?"],
    ["userAgent", "Did you mean context.user_agent?"],
    ["ip_adress", "Known are: flow, ip, observed_at"],
    ["fact", "Did you mean context.facts?"],
  ])("refuses the unknown key %s and says: %s", (name, hint) => {
    const problem = problemOf({ [name]: "x" });
    expect(problem).toMatchObject({ code: "unknown_field", field: `context.${name}` });
    expect(problem.message).toContain(hint);
  });

  test("refuses an unknown key even when it is null", () => {
    expect(problemOf({ userId: null }).code).toBe("unknown_field");
  });

  test.each(["", "Login", "log in", "x".repeat(65), 7, "a/b"])("refuses the flow %j", (flow) => {
    expect(problemOf({ flow })).toMatchObject({ code: "invalid_field", field: "context.flow" });
  });

  test.each([
    ["81.2.69.142:51234", "81.2.69.142"],
    [" 81.2.69.142 ", "81.2.69.142"],
    ["[2a00:1450::1]:443", "2a00:1450:0:0:0:0:0:1"],
    ["2A00:1450::1", "2a00:1450:0:0:0:0:0:1"],
    ["::ffff:81.2.69.142", "81.2.69.142"],
  ])("reads the ip %j as %s", (ip, expected) => {
    expect(readContext({ ip })).toEqual({ context: { ip: expected }, invalidFields: [] });
  });

  test.each(["10.1.2.3", "127.0.0.1:80", "::1", "fd00::1"])(
    "leaves out the private ip %s and names the field",
    (ip) => {
      expect(readContext({ ip })).toEqual({ context: {}, invalidFields: ["ip"] });
    },
  );

  test.each(["null", "about:blank", "shop.example", "{[!"])(
    "leaves out the origin %s, which is none, and names the field",
    (origin) => {
      expect(readContext({ origin, flow: "login" })).toEqual({ context: { flow: "login" }, invalidFields: ["origin"] });
    },
  );

  test.each(["https://shop.example/cart", "capacitor://localhost", "chrome-extension://abcdef", "file://"])(
    "keeps the origin %s as it was given",
    (origin) => {
      expect(readContext({ origin })).toEqual({ context: { origin }, invalidFields: [] });
    },
  );

  test("refuses a list of addresses and says which one to send", () => {
    const problem = problemOf({ ip: "81.2.69.142, 10.0.0.1" });
    expect(problem).toMatchObject({ code: "invalid_field", field: "context.ip" });
    expect(problem.message).toContain("X-Forwarded-For");
  });

  test.each(["unknown", "", 7, "81.2.69", ["81.2.69.142"]])("refuses the ip %j", (ip) => {
    expect(problemOf({ ip }).field).toBe("context.ip");
  });

  test.each([
    ["user_id", 256],
    ["reference", 256],
    ["user_agent", 2048],
    ["linked_id", 256],
    ["visitor_id", 64],
  ])("bounds %s to %i characters", (name, limit) => {
    expect(readContext({ [name]: "x".repeat(limit) }).context).toEqual({ [name]: "x".repeat(limit) });
    expect(problemOf({ [name]: "x".repeat(limit + 1) })).toMatchObject({ field: `context.${name}` });
    expect(problemOf({ [name]: "" })).toMatchObject({ field: `context.${name}` });
    expect(problemOf({ [name]: 7 })).toMatchObject({ field: `context.${name}` });
  });

  test("bounds origin to 512 characters", () => {
    const origin = (length: number) => `https://${"o".repeat(length - "https://".length)}`;
    expect(readContext({ origin: origin(512) }).context).toEqual({ origin: origin(512) });
    for (const given of [origin(513), "", 7]) expect(problemOf({ origin: given }).field).toBe("context.origin");
  });

  test.each(["1700000000000", 1.5, -1, 0, Number.NaN])("refuses the time %j", (time) => {
    expect(problemOf({ observed_at: time }).field).toBe("context.observed_at");
  });

  test.each([
    ["a nested object", { a: { b: 1 } }, "context.facts.a"],
    ["a list of numbers", { a: [1] }, "context.facts.a"],
    ["a number that JSON cannot write", { a: Number.POSITIVE_INFINITY }, "context.facts.a"],
    ["a name in camelCase", { orderValue: 1 }, "context.facts"],
    ["a name that is a prototype's", JSON.parse('{"__proto__": 1}'), "context.facts"],
    ["a list", [1], "context.facts"],
    ["more than 32", Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`f${n}`, n])), "context.facts"],
    ["more than 4 KiB", { a: "ü".repeat(2048) }, "context.facts"],
  ])("refuses facts with %s", (_, facts, field) => {
    expect(problemOf({ facts })).toMatchObject({ code: "invalid_field", field });
  });

  test("accepts 32 facts and 4 KiB", () => {
    const many = Object.fromEntries(Array.from({ length: 32 }, (_, n) => [`f${n}`, n]));
    const large = { a: "x".repeat(4096 - '{"a":""}'.length) };
    expect([readContext({ facts: many }).context.facts, readContext({ facts: large }).context.facts]).toEqual([
      many,
      large,
    ]);
  });

  test("judges a hostile ip in no time", () => {
    const startedAt = performance.now();
    problemOf({ ip: `${"%".repeat(150_000)}\nx` });
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});
