import { randomUUID } from "node:crypto";
import { type PlannedCounter, type Reported, reportOutcome, readSubmissionState } from "@assay/ledger";
import { type Outcome, outcomeId } from "@assay/protocol";
import { accepted } from "./builders.ts";
import type { Ledger } from "./open-ledger.ts";

const HASH_KEY = "installation-key";
export const DAY_MS = 86_400_000;

/** What a test says of an outcome. */
export type Told = Omit<Partial<Outcome>, "about"> & Pick<Outcome, "about">;

/** Tells an outcome; every call is another operation unless it names one. */
export function tell({ redis, keys }: Ledger, outcome: Told, operation: string = randomUUID()): Promise<Reported> {
  return reportOutcome(redis, keys, { id: outcomeId("0", "default", operation), outcome }, HASH_KEY);
}

/** A submission, by its id. */
export function about(id: string): Outcome["about"] {
  return { by: "submission_id", value: id };
}

/** A counter of failed logins, or of whatever `over` says. */
export function aCounter(id: string, over: Partial<PlannedCounter> = {}): PlannedCounter {
  const base = { key: `h${randomUUID()}`, definition: "0123456789abcdef", windowMs: DAY_MS, member: id };
  return { ...base, names: ["login_failed"], pairs: ["login_failed/", "login_failed/fraud"], ...over };
}

/** Pins a plan by hand, as the script that pins inputs does. */
export async function pinned({ redis, keys }: Ledger, id: string, ...plan: PlannedCounter[]): Promise<void> {
  await redis.hset(keys.record(id), "oc", JSON.stringify(plan));
}

/** A submission with one counter of failed logins. */
export async function counted(ledger: Ledger) {
  const id = await accepted(ledger);
  const counter = aCounter(id);
  await pinned(ledger, id, counter);
  return { id, counter, members: () => ledger.redis.zrange(ledger.keys.counter(counter.key), 0, "-1", "WITHSCORES") };
}

/** Where a submission stands. */
export function stateOf({ redis, keys }: Ledger, id: string) {
  return readSubmissionState(redis, keys, id, 0);
}

/** What was told of a submission. */
export async function outcomesOf(ledger: Ledger, id: string) {
  return (await stateOf(ledger, id))?.outcomes;
}
