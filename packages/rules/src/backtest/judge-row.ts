import type { Action } from "@assay/protocol";
import type { Input } from "../condition/input.ts";
import type { CounterUse } from "../judge/counting.ts";
import type { Decision } from "../judge/decision.ts";
import type { Ruleset } from "../ruleset.ts";
import type { BacktestRow } from "./backtest-row.ts";
import type { Choice, ChooseRuleset } from "./choose-ruleset.ts";
import { askOf, type CounterAsk, isSameAsk } from "./counter-ask.ts";
import { type Answers, answerAt } from "./counter-replay.ts";

/** A row whose counters are still to be read. */
export interface Prepared {
  readonly row: BacktestRow;
  readonly asks: readonly CounterAsk[];
  readonly old: Waiting;
  readonly new: Waiting;
}

/** What one side needs to know of a row. */
interface Waiting extends Choice {
  /** Names of its counters, and which of the asks each is; the ask of the same place when that is absent. */
  readonly names: readonly string[];
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
  const namesOf = rememberNames();
  return {
    prepare(row) {
      const [before, after] = [oldOnes(row), newOnes(row)];
      const input = inputOf(row, {});
      const uses = usesOf(before, input);
      const asks = uses.map((use) => askOf(use, row, "old"));
      const waiting = { ...before, names: uses.map(({ name }) => name) };
      const names = namesOf(before, after);
      if (names !== undefined) {
        for (const ask of asks) ask.asking = "both";
        const renamed = uses.map(({ name, definition }) => names.get(definition) ?? name);
        return { row, asks, old: waiting, new: { ...after, names: renamed } };
      }
      const others = usesOf(after, input);
      const places = others.map((use) => addAsk(asks, askOf(use, row, "new")));
      return { row, asks, old: waiting, new: { ...after, names: others.map(({ name }) => name), places } };
    },
    judge({ row, old: before, new: after }, answers, firstAsk) {
      const one = judgeSide(row, before, answers, 2 * firstAsk);
      // A digest stands for all that can change a decision: most rows of a folder are judged by what did not change.
      const isSame = before.ruleset.digest === after.ruleset.digest && before.isUndecided === after.isUndecided;
      if (isSame && after.names.length === 0) return { old: one, new: one };
      return { old: one, new: judgeSide(row, after, answers, 2 * firstAsk + 1) };
    },
  };
}

function judgeSide(
  row: BacktestRow,
  { ruleset, isUndecided, names, places }: Waiting,
  answers: Answers,
  firstAnswer: number,
): SideJudgment {
  const values: Record<string, number> = {};
  const warming: string[] = [];
  for (const [index, name] of names.entries()) {
    const { value, isWarming } = answerAt(answers, firstAnswer + 2 * (places?.[index] ?? index));
    values[name] = value;
    if (isWarming) warming.push(name);
  }
  const decision = isUndecided ? ruleset.undecided("ruleset_not_found") : ruleset.decide(inputOf(row, values));
  return { ruleset: ruleset.name, action: decision.wouldBe ?? decision.action, decision, warming, isUndecided };
}

function inputOf({ event, checks, context, receivedAt, kind }: BacktestRow, counters: Record<string, number>): Input {
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

/** Names of counters by definition. */
type Names = ReadonlyMap<string, string>;

/**
 * Gives the names that the new ruleset has for the counters of the old one, where both surely count the same: then one
 * need be asked, which is so for most changes of rules. Works each pair out once, as it is asked for every row.
 */
function rememberNames(): (before: Choice, after: Choice) => Names | undefined {
  const known = new Map<Ruleset, Map<Ruleset, { readonly names: Names | undefined }>>();
  return ({ ruleset: before, isUndecided: isUndecidedBefore }, { ruleset: after, isUndecided }) => {
    if (isUndecidedBefore || isUndecided) return undefined;
    const those = known.get(before) ?? new Map<Ruleset, { readonly names: Names | undefined }>();
    known.set(before, those);
    const found = those.get(after) ?? { names: sameCounters(before, after) };
    those.set(after, found);
    return found.names;
  };
}

function sameCounters({ counters: before }: Ruleset, { counters: after }: Ruleset): Names | undefined {
  const names = new Map(after.map(({ name, definition }) => [definition, name]));
  const isSame =
    names.size === after.length &&
    before.length === after.length &&
    before.every(({ definition, readsLists }) => names.has(definition) && !readsLists);
  return isSame ? names : undefined;
}
