import { count, faultJson, showFaults } from "./faults.ts";
import { folderOf, loadPaths } from "./read-folder.ts";
import { EXIT, type Report, type World } from "./report.ts";

export interface CheckOptions {
  readonly rulesets?: string;
  readonly strict?: boolean;
}

/** `assay rules check`: loads rulesets and shows what is wrong with them. */
export async function checkRulesets(paths: readonly string[], options: CheckOptions, world: World): Promise<Report> {
  const { paint } = world;
  const { rulesets, faults } = await loadPaths(paths, folderOf(options, world), world);
  const errors = faults.filter(({ severity }) => severity === "error").length;
  const warnings = faults.length - errors;
  const isFaulty = errors > 0 || (options.strict === true && warnings > 0);
  const summary =
    errors === 0
      ? paint(
          isFaulty ? "red" : "green",
          `${count(rulesets.length, "ruleset")} checked${warnings > 0 ? `, ${count(warnings, "warning")}` : ": no faults"}.`,
        )
      : paint("red", `${count(errors, "error")}${warnings > 0 ? `, ${count(warnings, "warning")}` : ""}.`);
  return {
    exitCode: isFaulty ? EXIT.faulty : EXIT.fine,
    json: {
      rulesets: rulesets.map(({ name, digest, origin }) => ({ name, digest, file: origin })),
      faults: faults.map(faultJson),
    },
    text: [showFaults(faults, paint), summary].filter(Boolean).join("\n\n"),
  };
}
