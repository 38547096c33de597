import { createHash } from "node:crypto";

/**
 * Whether a rule that is live for a share of the visitors is live for this one: always the same answer for a visitor,
 * and other visitors for every rule. Whoever is in a share is in each larger one.
 */
export function isRolledOut(ruleId: string, visitorId: string, percent: number): boolean {
  const hash = createHash("sha256").update(`${ruleId}:${visitorId}`).digest().readUInt32BE();
  return hash / 2 ** 32 < percent / 100;
}
