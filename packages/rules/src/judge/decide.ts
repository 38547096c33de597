import { ACTIONS, type Action, type Reason, type UndecidedCode } from "@assay/protocol";
import { bounded, compile } from "../condition/compile.ts";
import type { Decision } from "./decision.ts";
import { createFactCheck } from "../ruleset/facts.ts";
import type { Input } from "../condition/input.ts";
import { judgeIntegrity } from "../ruleset/integrity.ts";
import { settleAction } from "./precedence.ts";
import type { Rule } from "../ruleset/rule.ts";
import type { RulesetContent } from "../ruleset/ruleset-content.ts";
import { type Slots, SlotTable } from "../condition/slots.ts";
import type { Evidence, Term } from "../condition/term.ts";
import { thresholdAction } from "../ruleset/thresholds.ts";

/** Decides inputs by one ruleset. Pure, deterministic, and never throws, whatever the event holds. */
export interface Judge {
  decide(input: Input): Decision;
  undecided(code: UndecidedCode): Decision;
}

interface CompiledRule {
  readonly id: string;
  readonly condition: Term;
  readonly evaluate: Term["evaluate"];
  readonly score: number | undefined;
  readonly action: Action | undefined;
  readonly message: string | undefined;
  readonly whenUnknown: Action | undefined;
}

/** Compiles a ruleset's rules, most severe first, so that reasons and sums do not depend on their order in the file. */
export function createJudge(content: RulesetContent): Judge {
  const slots = new SlotTable();
  const rules = content.rules.toSorted(bySeverity).map((rule) => compileRule(rule, slots));
  const exposed = content.expose.map((field) => ({ path: field.path, index: slots.indexOf(field) }));
  const invalidFacts = createFactCheck(content.facts);
  return {
    decide(input) {
      const values = slots.read(input);
      const decision = emptyDecision(rules.length);
      const integrity = judgeIntegrity(content.integrity, input, decision.reasons);
      const hits = judgeRules(rules, values, decision);
      decision.invalidFacts = invalidFacts(input);
      if (exposed.length > 0) decision.signals = signalsOf(exposed, values);
      const threshold = thresholdAction(content.thresholds, decision.score);
      return answer(decision, settleAction(integrity, hits, threshold), content.mode);
    },
    undecided(code) {
      const action = content.undecided.get(code) ?? content.undecided.get("default") ?? "review";
      const decision = emptyDecision(rules.length);
      decision.coverage.judged = 0;
      return answer(decision, action, content.mode);
    },
  };
}

function emptyDecision(rules: number): Decision {
  return {
    action: "allow",
    score: 0,
    reasons: [],
    shadow: [],
    shadowUnknown: [],
    unknown: [],
    coverage: { rules, judged: rules },
    invalidFacts: [],
  };
}

function answer(decision: Decision, action: Action, mode: "enforce" | "observe"): Decision {
  if (mode === "enforce") decision.action = action;
  else decision.wouldBe = action;
  return decision;
}

// Adds what the rules say to the decision, and returns the actions that were hit.
function judgeRules(rules: readonly CompiledRule[], slots: Slots, decision: Decision): Action[] {
  const hits: Action[] = [];
  let sum = 0;
  for (const rule of rules) {
    const value = rule.evaluate(slots);
    if (value === undefined) {
      decision.unknown.push({ rule: rule.id, missing: missingOf(rule.condition, slots) });
      if (rule.whenUnknown === undefined) continue;
      hits.push(rule.whenUnknown);
      decision.reasons.push(reasonOf(rule, rule.whenUnknown, undefined, {}));
    } else if (value === true) {
      sum += rule.score ?? 0;
      if (rule.action !== undefined) hits.push(rule.action);
      decision.reasons.push(reasonOf(rule, rule.action, rule.score, evidenceOf(rule.condition, slots)));
    }
  }
  decision.score = Math.max(0, rounded(sum));
  decision.coverage.judged -= decision.unknown.length;
  return hits;
}

// Filled in one by one, as a spread takes longer than many conditions.
function reasonOf(
  { id, message }: CompiledRule,
  action: Action | undefined,
  score: number | undefined,
  evidence: Evidence,
): Reason {
  const reason: Reason = { rule: id, evidence };
  if (action !== undefined) reason.action = action;
  if (score !== undefined) reason.score = score;
  if (message !== undefined) reason.message = message;
  return reason;
}

// Binary fractions do not add up exactly: 0.1 + 0.2 would miss a threshold of 0.3.
function rounded(sum: number): number {
  return Math.round(sum * 1e6) / 1e6;
}

function evidenceOf(condition: Term, slots: Slots): Evidence {
  const evidence: Evidence = {};
  condition.explain(slots, evidence);
  return evidence;
}

function missingOf(condition: Term, slots: Slots): string[] {
  const paths = new Set<string>();
  condition.missing(slots, paths);
  return [...paths];
}

function signalsOf(exposed: readonly { path: string; index: number }[], slots: Slots): Evidence {
  const signals: Evidence = {};
  for (const { path, index } of exposed) {
    const value = slots[index];
    if (value !== undefined) signals[path] = bounded(value);
  }
  return signals;
}

function compileRule(rule: Rule, slots: SlotTable): CompiledRule {
  const { id, score, action, message, whenUnknown } = rule;
  const condition = compile(rule.condition, slots);
  return {
    id,
    condition,
    evaluate: condition.evaluate,
    score,
    action,
    message,
    whenUnknown: whenUnknown === "skip" ? undefined : whenUnknown,
  };
}

function bySeverity(a: Rule, b: Rule): number {
  const severity = ({ action }: Rule) => (action === undefined ? 0 : ACTIONS.indexOf(action) + 1);
  return severity(b) - severity(a) || (b.score ?? 0) - (a.score ?? 0) || (a.id < b.id ? -1 : 1);
}
