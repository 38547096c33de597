import { RulesetError } from "@assay/rules";

/** What is said of a ruleset that does not load. */
export function messageOf(load: () => unknown): string {
  try {
    load();
  } catch (error) {
    if (error instanceof RulesetError) return error.message;
    throw error;
  }
  return "It loads.";
}
