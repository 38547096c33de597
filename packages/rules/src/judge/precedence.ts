import { type Action, moreSevere } from "@assay/protocol";

/**
 * Which action stands, from mildest to most severe allow < challenge < review < block:
 * 1. What integrity fired is a floor: nothing below lowers the result beneath it.
 * 2. A rule that hit with `allow` silences all other rules and the threshold.
 * 3. A rule that hit with `block` blocks.
 * 4. Else the most severe of the hit actions and the threshold's action; allow when there is none.
 * Only sets of actions count, so the order of rules never matters.
 */
export function settleAction(integrity: readonly Action[], hits: readonly Action[], threshold: Action): Action {
  const judged = hits.includes("allow") ? "allow" : hits.reduce(moreSevere, threshold);
  return integrity.reduce(moreSevere, judged);
}
