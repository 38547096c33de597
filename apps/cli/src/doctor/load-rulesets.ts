import { RulesetError, type RulesetFolder } from "@assay/rules";
import { count } from "../faults.ts";
import { folderOf, readFolder } from "../read-folder.ts";
import { CommandError } from "../report.ts";
import type { Finding } from "./finding.ts";
import type { Practice } from "./practice.ts";
import type { TenantSettings } from "./settings.ts";

/** The rulesets of a tenant where they load, and what is to be said of them. */
export async function loadRulesets(
  { rulesetsFolder }: TenantSettings,
  { options, world }: Practice,
): Promise<{ readonly rulesets: RulesetFolder | undefined; readonly finding: Finding }> {
  const name = "rulesets";
  const named = options.rulesets ?? rulesetsFolder;
  const folder = named ?? folderOf({}, world);
  try {
    const rulesets = await readFolder(folder, world);
    const names = rulesets.all.map((ruleset) => ruleset.name).join(", ");
    const says = `${count(rulesets.all.length, "ruleset")} of ${folder} loaded: ${names}`;
    return { rulesets, finding: { name, status: "ok", says } };
  } catch (error) {
    if (error instanceof RulesetError) {
      const errors = error.faults.filter(({ severity }) => severity === "error");
      const says = `The rulesets of ${folder} have ${count(errors.length, "fault")}`;
      return { rulesets: undefined, finding: { name, status: "fail", says, do: `run: assay rules check ${folder}` } };
    }
    if (!(error instanceof CommandError)) throw error;
    // The workers may know of a folder that nobody named here.
    const status = named === undefined ? "skip" : "fail";
    return { rulesets: undefined, finding: { name, status, says: error.message } };
  }
}
