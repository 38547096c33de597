import { ACTIONS, type Action, type Reason, type UndecidedCode } from "@assay/protocol";
import { bounded, compile } from "./compile.ts";
import type { Decision, UnknownRule } from "./decision.ts";
import { createFactCheck } from "./facts.ts";
import type { Input } from "./input.ts";
import { judgeIntegrity } from "./integrity.ts";
import { settleAction } from "./precedence.ts";
import type { Rule } from "./rule.ts";
import type { RulesetContent } from "./ruleset-content.ts";
import { type Slots, SlotTable } from "./slots.ts";
import type { Evidence, Term } from "./term.ts";
import { thresholdAction } from "./thresholds.ts";

/** Decides inputs by one ruleset. Pure, deterministic, and never throws, whatever the event holds. */
export interface Judge {
  decide(input: Input): Decision;
  undecided(code: UndecidedCode): Decision;
}

interface CompiledRule {
  readonly id: string;
  readonly condition: Term;
  readonly score: number;
  readonly action: Action | undefined;
  /** What its reasons have in common. */
  readonly reason: Omit<Reason, "evidence">;
  readonly whenUnknown: Action | undefined;
}

/** What the rules say together. */
interface Finding {
  readonly reasons: Reason[];
  readonly unknown: UnknownRule[];
  readonly hits: Action[];
  readonly score: number;
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
      const integrity = judgeIntegrity(content.integrity, input);
      const { reasons, unknown, hits, score } = judgeRules(rules, values);
      const threshold = thresholdAction(content.thresholds, score);
      const action = settleAction(
        integrity.map((reason) => reason.action),
        hits,
        threshold,
      );
      return {
        ...answer(action, content.mode),
        score,
        reasons: [...integrity, ...reasons],
        shadow: [],
        unknown,
        coverage: { rules: rules.length, judged: rules.length - unknown.length },
        ...(exposed.length === 0 ? {} : { signals: signalsOf(exposed, values) }),
        invalidFacts: invalidFacts(input),
      };
    },
    undecided(code) {
      const action = content.undecided.get(code) ?? content.undecided.get("default") ?? "review";
      return {
        ...answer(action, content.mode),
        score: 0,
        reasons: [],
        shadow: [],
        unknown: [],
        coverage: { rules: rules.length, judged: 0 },
        invalidFacts: [],
      };
    },
  };
}

function judgeRules(rules: readonly CompiledRule[], slots: Slots): Finding {
  const reasons: Reason[] = [];
  const unknown: UnknownRule[] = [];
  const hits: Action[] = [];
  let sum = 0;
  for (const rule of rules) {
    const value = rule.condition.evaluate(slots);
    if (value === undefined) {
      unknown.push({ rule: rule.id, missing: missingOf(rule.condition, slots) });
      if (rule.whenUnknown === undefined) continue;
      hits.push(rule.whenUnknown);
      const { score: _, ...reason } = rule.reason;
      reasons.push({ ...reason, action: rule.whenUnknown, evidence: {} });
    } else if (value === true) {
      sum += rule.score;
      if (rule.action !== undefined) hits.push(rule.action);
      reasons.push({ ...rule.reason, evidence: evidenceOf(rule.condition, slots) });
    }
  }
  return { reasons, unknown, hits, score: Math.max(0, rounded(sum)) };
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

function answer(action: Action, mode: "enforce" | "observe"): Pick<Decision, "action" | "wouldBe"> {
  return mode === "enforce" ? { action } : { action: "allow", wouldBe: action };
}

function compileRule({ id, condition, score, action, message, whenUnknown }: Rule, slots: SlotTable): CompiledRule {
  return {
    id,
    condition: compile(condition, slots),
    score: score ?? 0,
    action,
    reason: {
      rule: id,
      ...(action === undefined ? {} : { action }),
      ...(score === undefined ? {} : { score }),
      ...(message === undefined ? {} : { message }),
    },
    whenUnknown: whenUnknown === "skip" ? undefined : whenUnknown,
  };
}

function bySeverity(a: Rule, b: Rule): number {
  const severity = ({ action }: Rule) => (action === undefined ? 0 : ACTIONS.indexOf(action) + 1);
  return severity(b) - severity(a) || (b.score ?? 0) - (a.score ?? 0) || (a.id < b.id ? -1 : 1);
}
