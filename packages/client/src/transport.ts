import type { OutcomeInput, SubmissionInput, Verdict } from "@assay/protocol";
import type {
  Consumer,
  ConsumeOptions,
  ReceivedVerdict,
  SubscribeOptions,
  TailedVerdict,
  TailOptions,
  VerdictHandler,
} from "./verdict-stream.ts";
import type { Budget } from "./within-budget.ts";

/** What became of a submission that was handed in. */
export interface Receipt {
  readonly id: string;
  /** accepted: new · duplicate: known and undecided · decided: known and decided. */
  readonly status: "accepted" | "duplicate" | "decided";
  /** What Assay promises to survive, as far as the transport knows it. */
  readonly durability?: "memory" | "local" | "replica";
}

/** What became of an outcome that was told. */
export interface OutcomeReceipt {
  /** The outcome's own: `o_` and a hash of its Idempotency-Key. */
  readonly id: string;
  /** The submission that took it. */
  readonly submission_id: string;
  /** accepted: new · duplicate: told before, and counted then. */
  readonly status: "accepted" | "duplicate";
  /** What Assay promises to survive, as far as the transport knows it. */
  readonly durability?: "memory" | "local" | "replica";
}

/** A way to an Assay. Every call ends within its budget, and repeats what may be repeated while there is time. */
export interface Transport {
  submit(input: SubmissionInput, idempotencyKey: string, budget: Budget): Promise<Receipt>;
  /**
   * Submits and waits for the verdict; it is absent when the submission was accepted and is not decided in time.
   * Throws a retryable ProblemError when it is not known whether it was accepted.
   */
  submitAndWait(
    input: SubmissionInput,
    idempotencyKey: string,
    budget: Budget,
  ): Promise<{ readonly id: string; readonly verdict?: Verdict }>;
  /** Throws a retryable ProblemError when it is not known whether it was accepted. */
  report(input: OutcomeInput, idempotencyKey: string, budget: Budget): Promise<OutcomeReceipt>;
  /** Undefined when the time is over. Throws a ProblemError `verdict_expired`. */
  waitForVerdict(id: string, budget: Budget): Promise<Verdict | undefined>;
  /** Undefined when the submission is not known. Throws a ProblemError `verdict_expired`. */
  getVerdict(id: string, budget: Budget): Promise<Verdict | "pending" | undefined>;
  consume(options: ConsumeOptions, handler: VerdictHandler): Consumer;
  subscribe(options: SubscribeOptions): AsyncIterable<ReceivedVerdict>;
  tail(options: TailOptions): AsyncIterable<TailedVerdict>;
  /** Ends waits, consumers and subscriptions, and closes what was opened. Safe to call twice. */
  close(): Promise<void>;
}
