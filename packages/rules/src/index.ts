export type { Decision, UnknownRule } from "./decision.ts";
export { RulesetError, type RulesetFault } from "./fault.ts";
export type { Input } from "./input.ts";
export { loadRuleset, type Ruleset } from "./ruleset.ts";
export type { Settings } from "./settings.ts";
