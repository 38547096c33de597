import { loadRulesetFolder, RulesetError, type RulesetFault, type RulesetFolder } from "@assay/rules";

/** Rulesets that cannot be used. The message is for people: it shows every fault with its line, and every failed test. */
export class RulesetsUnusableError extends Error {
  override readonly name = "RulesetsUnusableError";
  readonly code = "rulesets_unusable";
  /** One line for each fault and failed test, as logs show it. */
  readonly faults: readonly string[];

  constructor(faults: readonly string[], options: { cause?: unknown; message?: string } = {}) {
    super(options.message ?? faults.join("\n"), { cause: options.cause });
    this.faults = faults;
  }
}

/**
 * Loads the files of a folder and runs the tests that its rulesets carry. Throws a RulesetsUnusableError with every
 * fault, or with every test that failed.
 */
export function loadTested(
  files: ReadonlyMap<string, string>,
  options: { folder: string; now: number },
): RulesetFolder {
  const loaded = load(files, options);
  const failures = loaded.all.flatMap((ruleset) =>
    ruleset
      .runTests()
      .filter(({ passed }) => !passed)
      .map(({ name, line, differences }) => `${ruleset.origin}:${line}: "${name}" failed: ${differences.join("; ")}`),
  );
  if (failures.length > 0) throw new RulesetsUnusableError(failures);
  return loaded;
}

function load(files: ReadonlyMap<string, string>, options: { folder: string; now: number }): RulesetFolder {
  try {
    return loadRulesetFolder(files, options);
  } catch (error) {
    if (!(error instanceof RulesetError)) throw error;
    throw new RulesetsUnusableError(error.faults.map(lineOf), { cause: error, message: error.message });
  }
}

/** A fault on one line. The source line stays out: it may name a visitor. */
export function lineOf({ file, line, column, message }: RulesetFault): string {
  return `${file}:${line}:${column}: ${message}`;
}
