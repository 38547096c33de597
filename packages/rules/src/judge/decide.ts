import type { Action, Reason, UndecidedCode } from "@assay/protocol";
import { bounded } from "../condition/evidence.ts";
import type { Input } from "../condition/input.ts";
import type { Slots } from "../condition/slot-value.ts";
import { SlotTable } from "../condition/slots.ts";
import type { Evidence, Term } from "../condition/term.ts";
import { createFactCheck } from "../ruleset/facts.ts";
import { compileIntegrity } from "../ruleset/integrity.ts";
import type { RulesetContent } from "../ruleset/ruleset-content.ts";
import { thresholdAction } from "../ruleset/thresholds.ts";
import { type CompiledRule, compileRules, missingOf, type Rollout } from "./compiled-rule.ts";
import type { Decision, UnknownRule } from "./decision.ts";
import { settleAction } from "./precedence.ts";

/** Decides inputs by one ruleset. Pure, deterministic, and never throws, whatever the event holds. */
export interface Judge {
  readonly decide: (input: Input) => Decision;
  readonly undecided: (code: UndecidedCode) => Decision;
  /** As `Ruleset.eventFields`, without what its counters read. */
  readonly eventFields: ReadonlySet<string>;
}

/** Compiles a ruleset's rules, most severe first, so that reasons and sums do not depend on their order in the file. */
export function createJudge(content: RulesetContent): Judge {
  const slots = new SlotTable(content.lists);
  const rules = compileRules(content.rules, slots);
  const rollouts = rules.flatMap(({ rollout }) => rollout ?? []);
  const liveForAll = rules.filter(({ mode, rollout }) => mode === "live" && rollout === undefined).length;
  const exposed = content.expose.map((field) => ({ path: field.path, index: slots.indexOf(field) }));
  const judgeIntegrity = compileIntegrity(content.integrity, slots);
  const invalidFacts = createFactCheck(content.facts, slots);
  return {
    eventFields: slots.eventFields,
    decide(input) {
      const values = slots.read(input);
      const decision = emptyDecision(liveForAll + countReached(rollouts, values));
      const integrity = judgeIntegrity(values, decision.reasons);
      const hits = judgeRules(rules, values, decision);
      decision.invalidFacts = invalidFacts(input, values);
      if (exposed.length > 0) decision.signals = signalsOf(exposed, values);
      const threshold = thresholdAction(content.thresholds, decision.score);
      return answer(decision, settleAction(integrity, hits, threshold), content.mode);
    },
    undecided(code) {
      const action = content.undecided.get(code) ?? content.undecided.get("default") ?? "review";
      // Nobody is known to be in a share.
      const decision = emptyDecision(liveForAll);
      return answer(decision, action, content.mode);
    },
  };
}

function emptyDecision(liveRules: number): Decision {
  return {
    action: "allow",
    score: 0,
    reasons: [],
    shadow: [],
    shadowUnknown: [],
    unknown: [],
    coverage: { rules: liveRules, judged: 0 },
    invalidFacts: [],
  };
}

function answer(decision: Decision, action: Action, mode: "enforce" | "observe"): Decision {
  if (mode === "enforce") decision.action = action;
  else decision.wouldBe = action;
  return decision;
}

/** What rules come to: the live ones, or those in shadow. */
interface Side {
  readonly reasons: Reason[];
  readonly unknown: UnknownRule[];
  readonly hits: Action[];
  sum: number;
}

// Adds what the rules say to the decision, and returns the actions that live ones hit.
function judgeRules(rules: readonly CompiledRule[], slots: Slots, decision: Decision): Action[] {
  const live: Side = { reasons: decision.reasons, unknown: decision.unknown, hits: [], sum: 0 };
  const shadow: Side = { reasons: decision.shadow, unknown: decision.shadowUnknown, hits: [], sum: 0 };
  for (const rule of rules) {
    if (slots[rule.falsePlace] === rule.falseValue) continue;
    const value = rule.evaluate(slots);
    if (value === false) continue;
    const side = isLive(rule, slots) ? live : shadow;
    if (value === undefined) addUnknown(rule, slots, side);
    else addHit(rule, slots, side);
  }
  decision.score = Math.max(0, rounded(live.sum));
  decision.coverage.judged = decision.coverage.rules - live.unknown.length;
  return live.hits;
}

// Tells each live rule with a share whether the visitor is in it, and counts those.
function countReached(rollouts: readonly Rollout[], slots: Slots): number {
  let count = 0;
  for (const { place, isReached } of rollouts) {
    const isIn = isReached(slots);
    slots[place] = isIn;
    if (isIn) count += 1;
  }
  return count;
}

function isLive({ mode, rollout }: CompiledRule, slots: Slots): boolean {
  return rollout === undefined ? mode === "live" : slots[rollout.place] === true;
}

function addHit(rule: CompiledRule, slots: Slots, side: Side): void {
  side.sum += rule.score ?? 0;
  if (rule.action !== undefined) side.hits.push(rule.action);
  side.reasons.push(reasonOf(rule, rule.action, rule.score, evidenceOf(rule.condition, slots)));
}

function addUnknown(rule: CompiledRule, slots: Slots, side: Side): void {
  side.unknown.push({ rule: rule.id, missing: missingOf(rule.condition, slots) });
  if (rule.whenUnknown === undefined) return;
  side.hits.push(rule.whenUnknown);
  side.reasons.push(reasonOf(rule, rule.whenUnknown, undefined, {}));
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

function signalsOf(exposed: readonly { path: string; index: number }[], slots: Slots): Evidence {
  const signals: Evidence = {};
  for (const { path, index } of exposed) {
    const value = slots[index];
    if (value !== undefined) signals[path] = bounded(value);
  }
  return signals;
}
