import { type Action, ACTIONS, type Keys, type Label, LABELS, type Lane } from "@assay/protocol";
import type { Redis } from "ioredis";
import { readLane, readToldOutcomes, type ToldOutcome } from "./record.ts";

/** What the ledger says of a submission. */
export type SubmissionState = SubmissionFacts &
  (
    | { readonly status: "accepted" | "waiting" }
    | { readonly status: "snoozed"; readonly snoozed: { readonly why: string; readonly until: number } }
    | { readonly status: "decided"; readonly action: Action }
  );

interface SubmissionFacts {
  readonly lane: Lane;
  readonly tries: number;
  /** The last one that was told. */
  readonly label?: Label;
  /** As they were told, the latest 32; absent while there is none. */
  readonly outcomes?: readonly ToldOutcome[];
  /** The submission that took its place. */
  readonly redrivenAs?: string;
}

/** Where a submission stands at `now` (unix ms); undefined when it is not known, or no longer. */
export async function readSubmissionState(
  redis: Redis,
  keys: Keys,
  id: string,
  now: number,
): Promise<SubmissionState | undefined> {
  const fields = await redis.hmget(keys.record(id), "l", "t", "c", "sw", "su", "ol", "o", "ra");
  const [lane, tries, action, why, until, lastLabel, told, redrivenAs] = fields;
  if (typeof lane !== "string") return undefined;
  const label = LABELS.find((known) => known === lastLabel);
  const base = {
    lane: readLane(lane),
    tries: Number(tries ?? 0),
    ...(label === undefined ? {} : { label }),
    ...(typeof told === "string" ? { outcomes: readToldOutcomes(told) } : {}),
    ...(typeof redrivenAs === "string" ? { redrivenAs } : {}),
  };
  const decided = ACTIONS.find((known) => known === action);
  if (decided !== undefined) return { ...base, status: "decided", action: decided };
  if (typeof why === "string" && Number(until) > now)
    return { ...base, status: "snoozed", snoozed: { why, until: Number(until) } };
  return { ...base, status: base.tries === 0 ? "accepted" : "waiting" };
}

/** What can be said of a verdict: its JSON, or why there is none. */
export type VerdictState =
  | { readonly status: "decided"; readonly json: string }
  | { readonly status: "pending" }
  /** Decided, but the verdict is no longer kept. */
  | { readonly status: "expired" }
  | { readonly status: "unknown" };

/** The verdict of a submission, as the record and the verdict key tell it. */
export async function readVerdict(redis: Redis, keys: Keys, id: string): Promise<VerdictState> {
  const json = await redis.get(keys.verdict(id));
  if (json !== null) return { status: "decided", json };
  const [lane, streamId] = await redis.hmget(keys.record(id), "l", "s");
  if (typeof lane !== "string") return { status: "unknown" };
  if (typeof streamId !== "string") return { status: "pending" };
  // It may have been decided between the two reads.
  const late = await redis.get(keys.verdict(id));
  return late === null ? { status: "expired" } : { status: "decided", json: late };
}

/** The verdicts on an event as JSON, newest first, at most 100; those no longer kept are left out. */
export async function readEventVerdicts(redis: Redis, keys: Keys, eventId: string): Promise<string[]> {
  const ids = await redis.lrange(keys.eventVerdicts(eventId), 0, 99);
  if (ids.length === 0) return [];
  const bodies = await Promise.all(ids.map((id) => redis.get(keys.verdict(id))));
  return bodies.filter((body) => body !== null);
}
