/** What a verdict answers, mildest first. */
export const ACTIONS = ["allow", "challenge", "review", "block"] as const;

export type Action = (typeof ACTIONS)[number];

/** The more severe of two actions. */
export function moreSevere(a: Action, b: Action): Action {
  return ACTIONS.indexOf(a) >= ACTIONS.indexOf(b) ? a : b;
}
