import { Environment } from "@marcbachmann/cel-js";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CATALOGUE, compiled, readUnchecked } from "../../test/condition.ts";
import {
  denseCondition,
  inputWith,
  nested,
  someValues,
  tellingCondition,
  type Values,
  wholeValues,
} from "../../test/telling-condition.ts";
import type { Platform } from "./catalogue.ts";
import { findUnreachable } from "./never-true.ts";
import { foreignFaults } from "./dialect.ts";
import { PLATFORMS } from "./platforms.ts";
import { celKey, replaceWindowKeys } from "./window-keys.ts";

const TIMEOUT_MS = 120_000;

describe("a condition", () => {
  // Excluded by name: whole numbers, which CEL divides to whole numbers, and what is no finite number, which is
  // unknown here. Each failure names its seed.
  test("comes out as in the CEL library wherever every name is present", { timeout: TIMEOUT_MS }, () => {
    const environment = new Environment({ unlistedVariablesAreDyn: true });
    environment.registerFunction("lower(dyn): string", (text: string) => text.toLowerCase());
    const inputs = fc.sample(wholeValues, 100).map((values) => ({
      ours: inputWith(values),
      theirs: { ...renamed(values), lists: { devices: ["friend"] } },
    }));
    let pairs = 0;
    const apart: unknown[] = [];
    fc.assert(
      fc.property(tellingCondition(false), (text) => {
        const ours = compiled(readUnchecked(text));
        const theirs = environment.parse(replaceWindowKeys(text));
        for (const input of inputs) {
          const { value } = ours(input.ours);
          if (value === undefined && text.includes("/")) continue;
          pairs += 1;
          const expected: unknown = theirs(input.theirs);
          if (value !== expected) apart.push({ value, expected, input: input.theirs });
        }
        expect(apart.splice(0)).toEqual([]);
      }),
      { numRuns: 1200 },
    );
    expect(pairs).toBeGreaterThan(100_000);
  });

  test("only ever becomes unknown when values go missing", { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(tellingCondition(false), someValues, fc.func(fc.boolean()), (text, values, isKept) => {
        const judge = compiled(readUnchecked(text));
        const fewer = Object.fromEntries(Object.entries(values).filter(([path]) => isKept(path)));
        expect([judge(inputWith(values)).value, undefined]).toContain(judge(inputWith(fewer)).value);
      }),
      { numRuns: 3000 },
    );
  });

  test("is explained by values that are enough for it, whatever all others are", { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(tellingCondition(true), someValues, someValues, (text, values, others) => {
        const judge = compiled(readUnchecked(text));
        const { value, evidence } = judge(inputWith(values));
        if (value === undefined) return;
        expect(judge(inputWith(onlyEvident(evidence, values, others))).value).toBe(value);
      }),
      { numRuns: 3000 },
    );
  });

  test("is explained by no value of a clause that did not decide", { timeout: TIMEOUT_MS }, () => {
    let entries = 0;
    fc.assert(
      fc.property(tellingCondition(false), someValues, (text, values) => {
        const judge = compiled(readUnchecked(text));
        const { value, evidence } = judge(inputWith(values));
        const paths = Object.keys(evidence).filter((path) => !path.startsWith("lists."));
        // Where a name stands twice, or in a list, what it is needed for cannot be told by taking it away.
        const isTold = !text.includes("(e, ") && paths.every((path) => text.split(path).length === 2);
        if (value === undefined || !isTold || paths.length > 8) return;
        for (const path of paths) {
          const isEnough = (kept: readonly string[]) => judge(inputWith(pick(values, kept))).value === value;
          const others = subsets(paths.filter((other) => other !== path));
          const isNeeded = others.some((kept) => isEnough([...kept, path]) && !isEnough(kept));
          expect({ path, isNeeded }).toEqual({ path, isNeeded: true });
          entries += 1;
        }
      }),
      { numRuns: 3000 },
    );
    expect(entries).toBeGreaterThan(1000);
  });

  test("is refused for no clause that an event makes true or false", { timeout: TIMEOUT_MS }, () => {
    const drawn = fc.sample(fc.tuple(someValues, fc.constantFrom(...PLATFORMS)), 100);
    const inputs = drawn.map(([values, platform]) => inputWith(lawful(values, platform)));
    const refused = { never: 0, always: 0 };
    fc.assert(
      fc.property(fc.oneof(tellingCondition(true), denseCondition), (text) => {
        for (const { clause, value, within } of findUnreachable(readUnchecked(text))) {
          // An element has no place of its own to be judged from.
          if (text.slice(0, clause.at).includes("(e, ")) continue;
          const judge = compiled(clause);
          const given = within.map((one) => ({ ...one, judge: compiled(one.clause) }));
          refused[value ? "never" : "always"] += 1;
          const against = inputs.find(
            (input) => given.every((one) => one.judge(input).value === one.holds) && judge(input).value === value,
          );
          expect(against).toBeUndefined();
        }
      }),
      { numRuns: 4000 },
    );
    expect(refused.never).toBeGreaterThan(500);
    expect(refused.always).toBeGreaterThan(100);
  });

  test("is taken for no other language when it is CEL", () => {
    fc.assert(
      fc.property(tellingCondition(true), (text) => {
        expect(foreignFaults(text)).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });
});

// The CEL library reads window keys in its own spelling.
function renamed(values: Values): Record<string, unknown> {
  const entries = Object.entries(values).map(([path, value]) => [path.split(".").map(celKey).join("."), value]);
  return nested(Object.fromEntries(entries));
}

// What is evident, all else as in another input: absent or of another value.
function onlyEvident(evidence: Readonly<Record<string, unknown>>, values: Values, others: Values): Values {
  const paths = Object.keys(evidence);
  const kept: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(others)) {
    const isAbsent = [...paths].some(
      (one) => one === `has(${path})` || (path.startsWith("sdk.") && one === "has(sdk)"),
    );
    if (!isAbsent) kept[path] = value;
  }
  for (const path of paths) {
    const [list = "", index, key] = /^(\w+(?:\.\w+)*)\[(\d+)\](?:\.(\w+))?$/.exec(path)?.slice(1) ?? [path];
    const value = values[list];
    if (index === undefined) {
      if (path in values) kept[path] = value;
      continue;
    }
    kept[list] = withElement(kept[list], Number(index), key, value);
  }
  if ("sdk" in evidence) kept["sdk.platform"] ??= "js";
  return kept;
}

function withElement(list: unknown, index: number, key: string | undefined, original: unknown): unknown[] {
  const [elements, source] = [list, original].map((one) => (Array.isArray(one) ? [...one] : []));
  if (elements === undefined || source === undefined) return [];
  for (let at = elements.length; at <= index; at++) elements.push(key === undefined ? "" : {});
  elements[index] = key === undefined ? source[index] : { ...elements[index], [key]: source[index][key] };
  return elements;
}

function pick(values: Values, paths: readonly string[]): Values {
  return Object.fromEntries(Object.entries(values).filter(([path]) => paths.includes(path)));
}

function subsets(paths: readonly string[]): readonly (readonly string[])[] {
  return paths.reduce<string[][]>((all, path) => [...all, ...all.map((one) => [...one, path])], [[]]);
}

// As the vendor sends it: no signal of another platform, and no platform but its own.
function lawful(values: Values, drawn: Platform): Values {
  const named = new Map<unknown, Platform>([
    ["js", "browser"],
    ["ios", "ios"],
    ["android", "android"],
  ]);
  const platform = named.get(values["sdk.platform"]) ?? drawn;
  const isPossible = (path: string) => CATALOGUE.field(path)?.platforms?.includes(platform) ?? true;
  return Object.fromEntries(Object.entries(values).filter(([path]) => isPossible(path)));
}
