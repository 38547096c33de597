import type { Action, Verdict } from "@assay/protocol";

/** What a browser may be told of a verdict: the action alone. Reasons and signals would teach an attacker. */
export function toPublic(verdict: Pick<Verdict, "action">): { readonly action: Action } {
  return { action: verdict.action };
}
