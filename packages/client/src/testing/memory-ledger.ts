import { EventEmitter } from "node:events";
import { contentDigest, type Outcome, outcomeDigest, type Submission, type SubmissionInput } from "@assay/protocol";
import { conflict } from "../errors.ts";
import { refusedOutcome } from "../refused-outcome.ts";
import { readVerdictJson } from "../verdict-json.ts";
import type { Budget } from "../within-budget.ts";
import { createMemoryStream, type MemoryStream } from "./memory-stream.ts";
import { type TestDecision, verdictOn } from "./verdict-on.ts";

/** A submission that was accepted. */
export interface MemoryRecord {
  readonly id: string;
  readonly input: SubmissionInput;
  readonly submission: Submission;
  readonly receivedAt: number;
  /** JSON, so that nobody changes the verdict of another; absent while it is undecided. */
  verdictJson?: string;
  isExpired: boolean;
  outcomes: number;
}

/** What the ledger of an installation does, in this process's memory. */
export interface MemoryLedger {
  /** In the order in which they were accepted. */
  readonly records: ReadonlyMap<string, MemoryRecord>;
  readonly stream: MemoryStream;
  /** Throws a ProblemError `submission_conflict`. */
  accept(id: string, input: SubmissionInput, submission: Submission): "accepted" | "duplicate" | "decided";
  /** Decides a submission. The first decision stays. */
  decide(record: MemoryRecord, decision: TestDecision): void;
  /** Resolves when the submission is decided, the time is over or the ledger is closed. Rejects with the signal's reason. */
  untilDecided(id: string, budget: Budget): Promise<void>;
  /** Returns the submission that took the outcome. Throws a ProblemError. */
  report(id: string, outcome: Outcome): { readonly submissionId: string; readonly status: "accepted" | "duplicate" };
  /** Ends every wait. */
  close(): void;
}

const MAX_AHEAD_MS = 10_000;
const MAX_WAITING_OUTCOMES = 16;
const CLOSED = "closed";

/** An empty ledger. `now` is unix ms. */
export function createMemoryLedger(now: () => number): MemoryLedger {
  const records = new Map<string, MemoryRecord>();
  const told = new Map<string, { readonly digest: string; readonly submissionId: string }>();
  const decidedIds: string[] = [];
  const stream = createMemoryStream();
  // Its events are ids of submissions that were just decided, and CLOSED.
  const decisions = new EventEmitter().setMaxListeners(0);

  function find({ about: { by, value } }: Outcome): MemoryRecord | undefined {
    if (by === "submission_id") return records.get(value);
    const id = decidedIds.findLast((candidate) => {
      const json = records.get(candidate)?.verdictJson;
      const verdict = json === undefined ? undefined : readVerdictJson(json);
      return (by === "event_id" ? verdict?.event_id : verdict?.context?.reference) === value;
    });
    return id === undefined ? undefined : records.get(id);
  }

  return {
    records,
    stream,
    accept(id, input, submission) {
      const known = records.get(id);
      if (known === undefined) {
        const kept = structuredClone(input);
        records.set(id, { id, input: kept, submission, receivedAt: now(), isExpired: false, outcomes: 0 });
        return "accepted";
      }
      const digest = contentDigest(known.submission);
      if (digest !== contentDigest(submission)) throw conflict({ id, digest }, submission);
      return known.verdictJson === undefined ? "duplicate" : "decided";
    },
    decide(record, decision) {
      if (record.verdictJson !== undefined) return;
      const json = JSON.stringify(verdictOn({ ...record, decidedAt: now() }, decision));
      record.verdictJson = json;
      decidedIds.push(record.id);
      stream.append(json);
      decisions.emit(record.id);
    },
    untilDecided(id, { timeoutMs, signal }) {
      return new Promise((resolve, reject) => {
        const finish = (settle: () => void) => {
          clearTimeout(timer);
          for (const event of [id, CLOSED]) decisions.off(event, end);
          signal?.removeEventListener("abort", onAbort);
          settle();
        };
        const end = () => finish(resolve);
        const onAbort = () => finish(() => reject(signal?.reason));
        const timer = setTimeout(end, timeoutMs);
        for (const event of [id, CLOSED]) decisions.on(event, end);
        signal?.addEventListener("abort", onAbort);
        if (signal?.aborted === true) onAbort();
        else if (records.get(id)?.verdictJson !== undefined) end();
      });
    },
    report(id, outcome) {
      const digest = outcomeDigest(outcome);
      const known = told.get(id);
      if (known?.digest === digest) return { submissionId: known.submissionId, status: "duplicate" };
      if (known !== undefined) throw refusedOutcome("conflict", outcome, id);
      const record = find(outcome);
      if (record === undefined) throw refusedOutcome("missing", outcome, id);
      if ((outcome.occurred_at ?? 0) > now() + MAX_AHEAD_MS) throw refusedOutcome("ahead", outcome, id);
      const isFull = record.verdictJson === undefined && record.outcomes >= MAX_WAITING_OUTCOMES;
      if (isFull) throw refusedOutcome("full", outcome, id);
      record.outcomes++;
      told.set(id, { digest, submissionId: record.id });
      return { submissionId: record.id, status: "accepted" };
    },
    close: () => void decisions.emit(CLOSED),
  };
}
