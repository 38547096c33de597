import { describe, expect, test } from "vitest";
import { inputOf, rulesetOf } from "../../test/build.ts";
import type { CounterUse } from "./counting.ts";

const SIGNALS = { ip_address: "192.0.2.1", identification: { visitor_id: "v1" }, suspect_score: 7, incognito: false };
const INPUT = inputOf(SIGNALS, {
  context: { user_id: "u1", flow: "login", facts: { amount: 1.5, tier: "x", tags: ["vip"] } },
});

function useOf(counter: string, input = INPUT): CounterUse | undefined {
  return rulesetOf("facts: { amount: number, tier: [gold], tags: list }", `counters: { it: ${counter} }`).counting(
    input,
  )[0];
}

const pairsOf = (where: string, input = INPUT) =>
  useOf(`{ key: ip_address, window: 1h, on: outcome, where: "${where}" }`, input)?.counts;

describe("Ruleset.counting", () => {
  test("tells name, definition, window and key of a submission that counts", () => {
    expect(useOf("{ key: ip_address, window: 1h }")).toEqual({
      name: "it",
      definition: expect.stringMatching(/^[0-9a-f]{16}$/),
      windowMs: 3_600_000,
      key: '["192.0.2.1"]',
      isDistinct: false,
      counts: { on: "submission", now: true },
    });
  });

  test("joins the values of a key in its order, each with its type", () => {
    expect(useOf("{ key: [context.user_id, suspect_score, incognito, facts.amount], window: 1h }")?.key).toBe(
      '["u1",7,false,1.5]',
    );
  });

  test.each(["bot", "[ip_address, bot]", "context.reference", "facts.tier"])(
    "asks nothing without a value of the key %s, or with one that does not fit",
    (key) => {
      expect(useOf(`{ key: ${key}, window: 1h }`)).toBeUndefined();
    },
  );

  test.each([
    ["context.flow == 'login'", true],
    ["context.flow == 'signup'", false],
    ["bot == 'bad'", false],
    ["!has(bot)", true],
    ["checks.stale", false],
  ])("counts where %s holds: %s", (where, now) => {
    expect(useOf(`{ key: ip_address, window: 1h, where: "${where}" }`)?.counts).toEqual({ on: "submission", now });
  });

  test("tells the distinct value, and does not count without one", () => {
    expect(useOf("{ key: ip_address, distinct: context.user_id, window: 1h }")).toMatchObject({
      distinct: '"u1"',
      isDistinct: true,
      counts: { now: true },
    });
    const use = useOf("{ key: ip_address, distinct: context.reference, window: 1h }");
    expect(use).toMatchObject({ isDistinct: true, counts: { now: false } });
    expect(use?.distinct).toBeUndefined();
  });

  test("counts every outcome where nothing is asked", () => {
    expect(useOf("{ key: ip_address, window: 1h, on: outcome }")?.counts).toEqual({
      on: "outcome",
      names: [],
      pairs: ["*/fraud", "*/legit", "*/", "/fraud", "/legit"],
    });
  });

  test.each([
    ["outcome == 'failed'", ["failed"], ["failed/fraud", "failed/legit", "failed/"]],
    ["outcome != 'failed'", ["failed"], ["*/fraud", "*/legit", "*/"]],
    ["outcome in ['b', 'a'] && label == 'fraud'", ["a", "b"], ["a/fraud", "b/fraud"]],
    ["'a' == outcome || label == 'fraud'", ["a"], ["a/fraud", "a/legit", "a/", "*/fraud", "/fraud"]],
    ["label == 'legit'", [], ["*/legit", "/legit"]],
    ["label != 'legit'", [], ["*/fraud", "/fraud"]],
    ["has(outcome) && !has(label)", [], ["*/"]],
    ["outcome == 'a' && context.flow == 'login'", ["a"], ["a/fraud", "a/legit", "a/"]],
    ["outcome == 'a' && context.flow == 'signup'", ["a"], []],
    ["outcome == 'a' && bot == 'bad'", ["a"], []],
    ["outcome == 'a' || bot == 'bad'", ["a"], ["a/fraud", "a/legit", "a/"]],
    ["context.flow == 'login'", [], ["*/fraud", "*/legit", "*/", "/fraud", "/legit"]],
    ["facts.tags.exists(tag, tag == 'vip' && outcome == 'a')", ["a"], ["a/fraud", "a/legit", "a/"]],
    ["outcome == 'a' ? label == 'fraud' : outcome == 'b'", ["a", "b"], ["a/fraud", "b/fraud", "b/legit", "b/"]],
  ])("tells which outcomes count where %s", (where, names, pairs) => {
    expect(pairsOf(where)).toEqual({ on: "outcome", names, pairs });
  });

  test("counts no outcome without its distinct value", () => {
    const counter = "{ key: ip_address, distinct: context.reference, window: 1h, on: outcome }";
    expect(useOf(counter)?.counts).toMatchObject({ pairs: [] });
  });

  test("leaves one input's outcomes out of the next one's", () => {
    const { counting } = rulesetOf(
      "counters: { it: { key: ip_address, window: 1h, on: outcome, where: \"outcome == 'a'\" } }",
    );
    expect(counting(INPUT)).toEqual(counting(INPUT));
  });

  test("asks for counters in one order, whatever the order of the file", () => {
    const [b, a] = ["b: { key: ip_address, window: 1h }", "a: { key: suspect_score, window: 1h }"];
    const orderOf = (...counters: string[]) =>
      rulesetOf(`counters: { ${counters.join(", ")}, n: { key: bot, window: 1h } }`)
        .counting(INPUT)
        .map(({ name }) => name);
    expect(orderOf(a, b)).toEqual(orderOf(b, a));
    expect(orderOf(a, b).toSorted()).toEqual(["a", "b"]);
  });
});
