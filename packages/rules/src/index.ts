export type { Decision, UnknownRule } from "./judge/decision.ts";
export { RulesetError, type RulesetFault } from "./ruleset/fault.ts";
export type { Input } from "./condition/input.ts";
export { loadRuleset, type Ruleset } from "./ruleset.ts";
export type { Settings } from "./ruleset/settings.ts";
