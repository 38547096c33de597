import type { Ruleset, RulesetTestResult } from "@assay/rules";
import { count, faultJson, showFaults } from "./faults.ts";
import type { Paint } from "./paint.ts";
import { folderOf, loadPaths } from "./read-folder.ts";
import { EXIT, type Report, type World } from "./report.ts";

interface Tested {
  readonly ruleset: Ruleset;
  readonly tests: readonly RulesetTestResult[];
}

/** `assay rules test`: runs the tests that rulesets carry. */
export async function testRulesets(
  paths: readonly string[],
  options: { readonly rulesets?: string },
  world: World,
): Promise<Report> {
  const { paint } = world;
  const { rulesets, faults } = await loadPaths(paths, folderOf(options, world), world);
  const errors = faults.filter(({ severity }) => severity === "error");
  const tested = rulesets.map((ruleset) => ({ ruleset, tests: ruleset.runTests() }));
  const tests = tested.flatMap((one) => one.tests);
  const failed = tests.filter(({ passed }) => !passed).length;
  const parts = [
    ...tested.map((one) => showTested(one, paint)),
    showFaults(errors, paint),
    summaryOf({ errors: errors.length, failed, tests: tests.length }, paint),
  ];
  return {
    exitCode: failed > 0 || errors.length > 0 ? EXIT.faulty : EXIT.fine,
    json: {
      rulesets: tested.map(({ ruleset: { name, digest, origin }, tests: results }) => ({
        name,
        digest,
        file: origin,
        tests: results,
      })),
      faults: errors.map(faultJson),
    },
    text: parts.filter(Boolean).join("\n\n"),
  };
}

function summaryOf({ errors, failed, tests }: { errors: number; failed: number; tests: number }, paint: Paint): string {
  if (errors > 0) return paint("red", `${count(errors, "error")}: not all rulesets could be tested.`);
  if (failed > 0) return paint("red", `${failed} of ${count(tests, "test")} failed.`);
  return tests === 0 ? paint("yellow", "There are no tests.") : paint("green", `${count(tests, "test")} passed.`);
}

function showTested({ ruleset: { name, origin }, tests }: Tested, paint: Paint): string {
  const heading = `${paint("bold", name)} ${paint("dim", origin)}`;
  if (tests.length === 0) return `${heading}\n  no tests`;
  const lines = tests.flatMap(({ name: test, passed, line, differences }) =>
    passed
      ? [`  ${paint("green", "passed")}  ${test}`]
      : [
          `  ${paint("red", "failed")}  ${test} ${paint("dim", `${origin}:${line}`)}`,
          ...differences.map((difference) => `          ${difference}`),
        ],
  );
  return [heading, ...lines].join("\n");
}
