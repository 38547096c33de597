import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyCondition } from "../../test/any-condition.ts";
import { inputOf } from "../../test/build.ts";
import { CATALOGUE, LISTS, read, readUnchecked } from "../../test/condition.ts";
import { compile } from "./compile.ts";
import { costOf, NODE_NS, workOf } from "./cost.ts";
import { canonicalExpression, type Expression, partsOf } from "./expression.ts";
import { MAX_COST_NS, MAX_ELEMENT_TEXT, MAX_ELEMENTS, MAX_TEXT } from "./limits.ts";
import { isOfElement, isRemembered } from "./remember.ts";
import { SlotTable } from "./slots.ts";

const many = (count: number, one: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => one(i)).join(" || ");

describe("costOf", () => {
  test.each([
    "lower(user_agent).contains('headless') || user_agent.matches('Headless|Phantom|Selenium')",
    many(15, (index) => `user_agent.contains('bot${index}')`),
    many(40, (index) => `lower(user_agent).startsWith('bot${index}')`),
    many(12, (index) => `lower(user_agent).matches('bot${index}')`),
    "facts.tags.exists(t, lower(t).contains('vip') || lower(t).matches('gold|silver'))",
    "labels.exists(l, l.label == 'automation_tool' && l.prediction && l.ml_score > 0.5)",
    "facts.tags.exists(t, t in lists.throwaway)",
    "url == linked_id && os != user_agent",
  ])("lets %s load", (condition) => {
    expect(read(condition).faults).toEqual([]);
  });

  test.each([
    many(20, (index) => `user_agent.contains('bot${index}')`),
    many(20, (index) => `user_agent.matches('bot${index}')`),
    many(
      7,
      (index) =>
        `lower(${["url", "os", "user_agent", "linked_id", "device", "facts.email", "client_referrer"][index]}) == 'a'`,
    ),
    "facts.tags.exists(t, t in lists.throwaway || t in lists.offices)",
  ])("refuses %s", (condition) => {
    expect(read(condition).faults.join()).toMatch(/^0 This condition may take too long: \d\.\d ms of at most 1 ms/);
  });

  test("compiles no pattern of a condition that asks for too many", () => {
    const { faults } = read(many(20, (index) => `url.matches("(${index}")`));
    expect(faults).toEqual([expect.stringContaining("This condition may take too long")]);
  });

  test(
    "is never less than what an event made a condition do, evidence and missing names included",
    { timeout: 60_000 },
    () => {
      let loaded = 0;
      fc.assert(
        fc.property(anyCondition, hostileInput, (text, input) => {
          const expression = readUnchecked(text);
          const costNs = costOf(expression, CATALOGUE.lists);
          if (costNs <= MAX_COST_NS) loaded += 1;
          expect(workDone(expression, input)).toBeLessThanOrEqual(costNs);
        }),
        { numRuns: 1000 },
      );
      expect(loaded).toBeGreaterThan(400);
    },
  );
});

const near = (length: number) =>
  fc
    .constantFrom("a", "ab", "İ", "€a", "xx", "b".padStart(64, "a"))
    .map((unit) => unit.repeat(length).slice(0, length));
const hostileText = fc.oneof(
  fc.constantFrom("", "bot", "a"),
  fc.constantFrom(MAX_TEXT, MAX_TEXT + 1, 100_000).chain(near),
);
const elementText = fc.oneof(
  fc.constantFrom("", "vip"),
  fc.constantFrom(MAX_ELEMENT_TEXT, MAX_ELEMENT_TEXT + 1, 4000).chain(near),
);
const lengths = fc.constantFrom(0, 1, 3, MAX_ELEMENTS, MAX_ELEMENTS + 1);
const score = fc.constantFrom(0, 0.5, 3, 1e308);

function listOf<T>(element: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.tuple(lengths, fc.array(element, { minLength: 3, maxLength: 3 })).map(([length, three]) => {
    return Array.from({ length }, (_, index) => three[index % 3]).filter((one) => one !== undefined);
  });
}

const hostileInput = fc
  .record({
    signals: fc.record(
      {
        vpn: fc.boolean(),
        proxy: fc.boolean(),
        url: hostileText,
        user_agent: hostileText,
        os: hostileText,
        linked_id: hostileText,
        ip_address: fc.constantFrom("::", "1.2.3.4", "x".repeat(45)),
        suspect_score: score,
        labels: listOf(
          fc.record({ label: elementText, prediction: fc.boolean(), ml_score: score }, { requiredKeys: [] }),
        ),
      },
      { requiredKeys: [] },
    ),
    facts: fc.record(
      { email: hostileText, amount: score, member: fc.boolean(), tags: listOf(elementText) },
      { requiredKeys: [] },
    ),
  })
  .map(({ signals, facts }) => inputOf(signals, { context: { facts } }));

/** What was done, in ns by the rates of the estimate: every value that was read, and every text that was looked at. */
function workDone(expression: Expression, input: ReturnType<typeof inputOf>): number {
  const slots = new SlotTable(LISTS);
  const term = compile(expression, slots);
  const workAt = new Map(remembered(expression).map((part) => [placeOf(part, slots), part]));
  let done = 0;
  const values = new Proxy(slots.read(input), {
    get(target, key, receiver) {
      done += NODE_NS / 2;
      return Reflect.get(target, key, receiver);
    },
    set(target, key, value, receiver) {
      const part = workAt.get(Number(key));
      if (part !== undefined && value !== undefined) {
        // The rate of a whole macro is for all of its elements together.
        done += workOf(part, CATALOGUE.lists) / (isOfElement(part) ? MAX_ELEMENTS : 1);
      }
      return Reflect.set(target, key, value, receiver);
    },
  });
  const value = term.evaluate(values);
  if (value === undefined) term.missing(values, new Set());
  else term.explain(values, {});
  return done;
}

function remembered(expression: Expression): Expression[] {
  return [...(isRemembered(expression) ? [expression] : []), ...partsOf(expression).flatMap(remembered)];
}

function placeOf(part: Expression, slots: SlotTable): number {
  return slots.derived(JSON.stringify(canonicalExpression(part)));
}
