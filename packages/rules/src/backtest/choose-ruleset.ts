import type { Ruleset } from "../ruleset.ts";
import type { RulesetFolder } from "../ruleset-folder.ts";
import type { BacktestRow } from "./backtest-row.ts";

/** The ruleset of a row. Undecided where the row names one that is not there. */
export interface Choice {
  readonly ruleset: Ruleset;
  readonly isUndecided: boolean;
}

/** Which ruleset judges a row. */
export type ChooseRuleset = (row: Pick<BacktestRow, "ruleset" | "context">) => Choice;

/** Every row is judged by this one. */
export function always(ruleset: Ruleset): ChooseRuleset {
  const choice = { ruleset, isUndecided: false };
  return () => choice;
}

/** As a worker does: by the ruleset that a row names, else by the one of its flow. */
export function routed(folder: RulesetFolder): ChooseRuleset {
  return ({ ruleset: name, context }) => {
    const ruleset = name === undefined ? folder.forFlow(context.flow) : folder.named(name);
    return { ruleset: ruleset ?? folder.default, isUndecided: ruleset === undefined };
  };
}
