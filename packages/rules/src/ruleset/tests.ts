import type { Catalogue } from "../condition/catalogue.ts";
import type { Input } from "../condition/input.ts";
import type { FaultList } from "./fault.ts";
import { Names } from "./names.ts";
import { entriesNamed, type Part } from "./part.ts";
import { type Expected, readExpected } from "./tests-expect.ts";
import { catalogueOfGiven, type GivenScope, readGiven } from "./tests-given.ts";
import { inputOf } from "./tests-input.ts";
import { type Entry, readEntries, readItems, readText, refuseUnknown } from "./yaml-entries.ts";

/** An input, and what must come of it. */
export interface RulesetTest {
  readonly name: string;
  readonly input: Input;
  readonly expected: Expected;
  readonly file: string;
  readonly line: number;
}

export const TEST_KEYS = ["name", "given", "context", "facts", "checks", "counters", "expect"] as const;
/** The keys that give values below their own name. */
const GIVEN_ROOTS = ["context", "facts", "checks", "counters"] as const;

/** Reads `tests:` of all parts. Without the ids of all rules, what is expected of rules is not compared with them. */
export function readTests(
  parts: readonly Part[],
  { catalogue, ruleIds }: { catalogue: Catalogue; ruleIds: readonly string[] | undefined },
): RulesetTest[] {
  const declared = entriesNamed(parts, "tests");
  if (declared.length === 0) return [];
  const names = new Names("test");
  const given = catalogueOfGiven(catalogue);
  return declared.flatMap(({ entry, faults }) =>
    readItems(entry, faults).flatMap((item): RulesetTest[] => {
      const at = item.range[0];
      const entries = readEntries(item, at, "a test", faults);
      refuseUnknown(entries, "a test", TEST_KEYS, faults);
      const named = (key: string) => entries.find(({ name }) => name === key);
      const name = readName(named("name"), at, names, faults);
      const input = readInput(entries, { given, faults });
      const expected = readExpected(named("expect"), { at, ruleIds, faults });
      const { line } = faults.positionOf(at);
      if (name === undefined || input === undefined || expected === undefined) return [];
      return [{ name, input, expected, file: faults.file, line }];
    }),
  );
}

function readName(entry: Entry | undefined, at: number, names: Names, faults: FaultList): string | undefined {
  if (entry === undefined) {
    faults.add(at, "A test needs a name, which says what it promises.");
    return undefined;
  }
  const name = readText(entry, /^.{1,256}$/, "one line of at most 256 characters", faults);
  return name !== undefined && names.take(name, entry.valueAt, faults) ? name : undefined;
}

function readInput(entries: readonly Entry[], scope: GivenScope): Input | undefined {
  const given = entries.flatMap((entry) => {
    if (entry.name === "given") return readGiven(entry, "", scope);
    return GIVEN_ROOTS.some((root) => root === entry.name) ? readGiven(entry, entry.name, scope) : [];
  });
  return inputOf(given, scope.faults);
}
