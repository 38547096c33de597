import type { Action, Checks } from "@assay/protocol";
import type { Input } from "../condition/input.ts";
import type { CounterUse } from "../judge/counting.ts";
import type { Decision } from "../judge/decision.ts";
import type { Ruleset } from "../ruleset.ts";
import type { BacktestRow } from "./backtest-row.ts";
import type { Choice, ChooseRuleset } from "./choose-ruleset.ts";
import { askOf, type CounterAsk, isSameAsk } from "./counter-ask.ts";
import { type Answers, answerAt } from "./counter-replay.ts";
import { checksBy, isSameForChecks } from "./side-checks.ts";

/** A row whose counters are still to be read. */
export interface Prepared {
  readonly row: BacktestRow;
  readonly asks: readonly CounterAsk[];
  readonly old: Waiting;
  readonly new: Waiting;
}

/** What one side needs to know of a row. */
interface Waiting {
  readonly choice: Choice;
  /** By its own settings. */
  readonly checks: Checks;
  /** Its counters; what it calls them, where not as they say; and which of the asks each is, where not that of its place. */
  readonly uses: readonly CounterUse[];
  readonly names?: ReadonlyMap<string, string>;
  readonly places?: readonly number[];
}

/** What one side says of a row. */
export interface SideJudgment {
  /** Name of the ruleset. */
  readonly ruleset: string;
  /** What enforce mode takes. */
  readonly action: Action;
  readonly decision: Decision;
  /** Names of counters that are younger than their windows. */
  readonly warming: readonly string[];
  readonly isUndecided: boolean;
}

/** What both say. */
export interface RowJudgment {
  readonly old: SideJudgment;
  readonly new: SideJudgment;
}

/** Judges rows in two steps, between which their counters are read. */
export interface RowJudge {
  /** Chooses the rulesets of a row and asks for their counters. */
  prepare(row: BacktestRow): Prepared;
  /** Judges it by both sides. `firstAsk` is where its asks begin among those that were answered. */
  judge(prepared: Prepared, answers: Answers, firstAsk: number): RowJudgment;
}

/** Judges each row by a ruleset of either side. */
export function createRowJudge(oldOnes: ChooseRuleset, newOnes: ChooseRuleset): RowJudge {
  const compare = rememberComparisons();
  return {
    prepare(row) {
      const before = oldOnes(row);
      const after = newOnes(row);
      const { isSameForChecks: isSame, names } = compare(before, after);
      const checks = checksBy(before.ruleset, row);
      const input = inputOf(row, checks, {});
      const uses = usesOf(before, input);
      const asks = uses.map((use) => askOf(use, row, "old"));
      const waiting = { choice: before, checks, uses };
      if (names !== undefined) {
        for (const ask of asks) ask.asking = "both";
        return { row, asks, old: waiting, new: { choice: after, checks, uses, names } };
      }
      const others = isSame ? checks : checksBy(after.ruleset, row);
      const otherUses = usesOf(after, isSame ? input : inputOf(row, others, {}));
      const places = otherUses.map((use) => addAsk(asks, askOf(use, row, "new")));
      return { row, asks, old: waiting, new: { choice: after, checks: others, uses: otherUses, places } };
    },
    judge({ row, old: before, new: after }, answers, firstAsk) {
      const one = judgeSide(row, before, answers, 2 * firstAsk);
      // A digest stands for all that can change a decision: most rows of a folder are judged by what did not change.
      const isSame =
        before.choice.ruleset.digest === after.choice.ruleset.digest &&
        before.choice.isUndecided === after.choice.isUndecided;
      if (isSame && after.uses.length === 0) return { old: one, new: one };
      return { old: one, new: judgeSide(row, after, answers, 2 * firstAsk + 1) };
    },
  };
}

function judgeSide(
  row: BacktestRow,
  { choice: { ruleset, isUndecided }, checks, uses, names, places }: Waiting,
  answers: Answers,
  firstAnswer: number,
): SideJudgment {
  const values: Record<string, number> = {};
  const warming: string[] = [];
  for (const [index, use] of uses.entries()) {
    const name = names?.get(use.definition) ?? use.name;
    const { value, isWarming } = answerAt(answers, firstAnswer + 2 * (places?.[index] ?? index));
    values[name] = value;
    if (isWarming) warming.push(name);
  }
  const decision = isUndecided ? ruleset.undecided("ruleset_not_found") : ruleset.decide(inputOf(row, checks, values));
  return { ruleset: ruleset.name, action: decision.wouldBe ?? decision.action, decision, warming, isUndecided };
}

function inputOf(
  { event, context, receivedAt, kind }: BacktestRow,
  checks: Checks,
  counters: Record<string, number>,
): Input {
  return { event, checks, context, receivedAt, kind, counters };
}

function usesOf({ ruleset, isUndecided }: Choice, input: Input): CounterUse[] {
  return isUndecided ? [] : ruleset.counting(input);
}

/** Where an ask stands among those of the other side; it is added if it is not there. */
function addAsk(asks: CounterAsk[], ask: CounterAsk): number {
  const known = asks.findIndex((one) => isSameAsk(one, ask));
  const same = asks[known];
  if (same === undefined) return asks.push(ask) - 1;
  if (same.asking === "old") same.asking = "both";
  return known;
}

/** What need be worked out once for both sides. */
interface Comparison {
  readonly isSameForChecks: boolean;
  /** The names that the new ruleset has, by definition, for the counters of the old one, where both surely count the same. */
  readonly names?: ReadonlyMap<string, string>;
}

/**
 * Compares two rulesets: what is the same by both need be asked and worked out once, which is so for most changes of
 * rules. Works each pair out once, as it is asked for every row.
 */
function rememberComparisons(): (before: Choice, after: Choice) => Comparison {
  const known = new Map<Ruleset, Map<Ruleset, Comparison>>();
  return ({ ruleset: before, isUndecided: isUndecidedBefore }, { ruleset: after, isUndecided }) => {
    const those = known.get(before) ?? new Map<Ruleset, Comparison>();
    known.set(before, those);
    const found = those.get(after) ?? compared(before, after);
    those.set(after, found);
    // Counters of what is not decided are not asked.
    return isUndecidedBefore || isUndecided ? { isSameForChecks: found.isSameForChecks } : found;
  };
}

function compared(before: Ruleset, after: Ruleset): Comparison {
  // What counts may hang on a check.
  if (!isSameForChecks(before.settings, after.settings)) return { isSameForChecks: false };
  const names = sameCounters(before, after);
  return { isSameForChecks: true, ...(names === undefined ? {} : { names }) };
}

function sameCounters(
  { counters: before }: Ruleset,
  { counters: after }: Ruleset,
): ReadonlyMap<string, string> | undefined {
  const names = new Map(after.map(({ name, definition }) => [definition, name]));
  const isSame =
    names.size === after.length &&
    before.length === after.length &&
    before.every(({ definition, readsLists }) => names.has(definition) && !readsLists);
  return isSame ? names : undefined;
}
