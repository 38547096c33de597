export type { Decision, UnknownRule } from "./judge/decision.ts";
export { RulesetError, type RulesetFault } from "./ruleset/fault.ts";
export type { Input } from "./condition/input.ts";
export { loadRuleset, type Ruleset } from "./ruleset.ts";
export type { Settings } from "./ruleset/settings.ts";
export type { CounterUse, Counting, OutcomeCounts } from "./judge/counting.ts";
export type { ClauseExplanation, RuleExplanation } from "./judge/explanation.ts";
export { loadRulesetFolder, type RulesetFolder } from "./ruleset-folder.ts";
export type { FactDeclaration, RulesetTestResult, RuleSummary } from "./ruleset.ts";
