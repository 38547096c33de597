import { setImmediate } from "node:timers/promises";
import { loadRulesetFolderInSteps, RulesetError, type RulesetFault, type RulesetFolder } from "@assay/rules";

/** Rulesets that cannot be used. The message is for logs, and names nothing that stands in a list. */
export class RulesetsUnusableError extends Error {
  override readonly name = "RulesetsUnusableError";
  readonly code = "rulesets_unusable";
  /** One line for each fault and failed test. */
  readonly faults: readonly string[];
  /** For people: every fault with the line it stands on, and every failed test. May name a visitor. */
  readonly text: string;

  constructor(faults: readonly string[], options: { cause?: unknown; text?: string } = {}) {
    super(faults.join("\n"), { cause: options.cause });
    this.faults = faults;
    this.text = options.text ?? this.message;
  }
}

/**
 * Loads the files of a folder and runs the tests that its rulesets carry, a ruleset at a time: between them the process
 * goes on with its other work. Rejects with a RulesetsUnusableError that holds every fault, or every test that failed.
 */
export async function loadTested(
  files: ReadonlyMap<string, string>,
  options: { folder: string; now: number },
): Promise<RulesetFolder> {
  const loaded = await load(files, options);
  const failures: string[] = [];
  for (const ruleset of loaded.all) {
    await setImmediate();
    for (const { name, passed, line, differences } of ruleset.runTests()) {
      if (!passed) failures.push(`${ruleset.origin}:${line}: "${name}" failed: ${differences.join("; ")}`);
    }
  }
  if (failures.length > 0) throw new RulesetsUnusableError(failures);
  return loaded;
}

async function load(
  files: ReadonlyMap<string, string>,
  options: { folder: string; now: number },
): Promise<RulesetFolder> {
  const steps = loadRulesetFolderInSteps(files, options);
  try {
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      await setImmediate();
    }
  } catch (error) {
    if (!(error instanceof RulesetError)) throw error;
    // Not as the cause: its message shows the lines.
    throw new RulesetsUnusableError(error.faults.map(lineOf), { text: error.message });
  }
}

/** A fault on one line. What stands in the file stays out: it may name a visitor. */
export function lineOf({ severity, file, line, column, message }: RulesetFault): string {
  const isOfEntry = severity === "error" && file.endsWith(".txt");
  return `${file}:${line}:${column}: ${isOfEntry ? "This list cannot be used: assay rules check says why." : message}`;
}
