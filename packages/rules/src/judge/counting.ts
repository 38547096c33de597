import type { Input } from "../condition/input.ts";

/** What a counter asks of shared memory for one submission. */
export interface CounterUse {
  readonly name: string;
  /** Stands for what the counter counts; equal in every ruleset that defines it the same. 16 hexadecimal digits. */
  readonly definition: string;
  readonly windowMs: number;
  /** The values of its key, as canonical JSON. Personal: hash it before it leaves the process. */
  readonly key: string;
  /** Of a distinct counter: the value it tells apart, or undefined when the submission has none. Personal, as `key`. */
  distinct?: string;
  readonly isDistinct: boolean;
  readonly counts: SubmissionCounts | OutcomeCounts;
}

interface SubmissionCounts {
  readonly on: "submission";
  /** Whether this submission itself counts; its value is read all the same. */
  readonly now: boolean;
}

/** Which outcomes of a submission will count, told for all that its condition can tell apart. */
export interface OutcomeCounts {
  readonly on: "outcome";
  /** The outcomes its condition names; every other one is `*`. */
  readonly names: readonly string[];
  /** `<outcome>/<label>` of each pair that counts: a name or `*` or nothing, then fraud, legit or nothing. */
  readonly pairs: readonly string[];
}

/** Tells what each counter of a ruleset asks for one input. A counter whose key is absent asks nothing. */
export type Counting = (input: Input) => CounterUse[];
