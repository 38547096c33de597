import { isRecord } from "@assay/protocol";
import { tests } from "@bufbuild/cel-spec/testdata/conformance.js";
import { describe, expect, test } from "vitest";
import { inputOf } from "../../test/build.ts";
import { compiled, readUnchecked } from "../../test/condition.ts";

/** Sections of CEL's conformance tests, file by file, about what conditions have. */
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  basic: ["self_eval_zeroish", "self_eval_nonzeroish", "reserved_const"],
  comparisons: [
    "eq_literal",
    "ne_literal",
    "lt_literal",
    "gt_literal",
    "lte_literal",
    "gte_literal",
    "in_list_literal",
  ],
  fp_math: ["fp_math"],
  integer_math: ["int64_math"],
  lists: ["in"],
  logic: ["conditional", "AND", "OR", "NOT"],
  parse: ["nest", "repeat", "string_literals", "whitespace", "comments"],
  plumbing: ["min"],
  string: ["starts_with", "ends_with", "contains", "matches"],
};

/** What conditions do not have: other types than texts, numbers and booleans, conversions, lists and maps as values. */
const LACKING: readonly RegExp[] = [
  /\d[uU]\b/,
  /(?<!\w)[bB]?[rR]?[bB]['"]/,
  /\bnull\b/,
  /[{}]|TestAllTypes|google\./,
  /\b(?:dyn|type|int|uint|double|string|bytes|bool|timestamp|duration|size)\(/,
  /\[[^\]]*\]\s*(?:==|!=|<|>|\+|\[|\.)|(?:==|!=|<=|>=|<|>|in|\+)\s*\[\s*(?:\]|\[)/,
];

/** Cases that hold in CEL and not here. */
const EXCLUDED: ReadonlySet<unknown> = new Set([
  ".99 > 9.9e-1", // The CEL library reads no number that begins with a dot.
  `${"-".repeat(32)}19`, // One deeper than a condition may be, once it is compared.
  "'cows'.matches('')", // A pattern that matches every text is a fault.
  "''.matches('')",
]);

const MIN_CASES = 300;

interface Case {
  readonly expression: string;
  /** What it comes to; undefined where it is an error, which is unknown here. */
  readonly expected: boolean | undefined;
}

const CASES = casesOf();

describe("the conformance tests of CEL", () => {
  test.each(CASES)("hold: $expression", ({ expression, expected }) => {
    expect(compiled(readUnchecked(expression))(inputOf({})).value).toBe(expected);
  });

  test("are as many as there were", () => {
    expect(CASES.length).toBeGreaterThanOrEqual(MIN_CASES);
  });
});

function casesOf(): Case[] {
  return (tests.suites ?? []).flatMap((file) =>
    (file.suites ?? [])
      .filter((section) => SECTIONS[file.name]?.includes(section.name))
      .flatMap((section) => (section.tests ?? []).flatMap(({ original }) => caseOf(original) ?? [])),
  );
}

// A number or a text is compared with what it must be. Left out: integers that only overflow as such, infinite
// results, and types that are wrong, which are faults before anything is evaluated.
function caseOf({ expr, value, evalError, bindings }: Record<string, unknown>): Case | undefined {
  if (
    typeof expr !== "string" ||
    bindings !== undefined ||
    EXCLUDED.has(expr) ||
    LACKING.some((lacking) => lacking.test(expr))
  )
    return undefined;
  if (isRecord(evalError)) {
    return /by zero/.test(JSON.stringify(evalError))
      ? { expression: `(${expr}) == 1`, expected: undefined }
      : undefined;
  }
  if (!isRecord(value)) return { expression: expr, expected: true };
  const { boolValue, doubleValue, int64Value, stringValue } = value;
  if (typeof boolValue === "boolean")
    return /0\.0\/0\.0/.test(expr) ? undefined : { expression: expr, expected: boolValue };
  const known = typeof int64Value === "string" ? Number(int64Value) : (doubleValue ?? stringValue);
  const isKnown =
    typeof known === "string" ? known === stringValue : typeof known === "number" && Math.abs(known) < 2 ** 53;
  return isKnown ? { expression: `(${expr}) == ${JSON.stringify(known)}`, expected: true } : undefined;
}
