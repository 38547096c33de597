import {
  checkObservedAt,
  checkTestEvent,
  DEFAULT_TENANT,
  outcomeId,
  readOutcome,
  readSubmission,
  type SubmissionInput,
  submissionId,
  type Verdict,
} from "@assay/protocol";
import { expired, unavailable } from "../errors.ts";
import type { Receipt, Transport } from "../transport.ts";
import { readVerdictJson } from "../verdict-json.ts";
import { openVerdictSources } from "../verdict-sources.ts";
import type { MemoryLedger, MemoryRecord } from "./memory-ledger.ts";
import type { TestDecision } from "./verdict-on.ts";

/** What keeps callers from a verdict: nothing answers, or nothing answers in time. */
export type TestFailure = "unavailable" | "timeout";

export interface MemoryTransportOptions {
  readonly ledger: MemoryLedger;
  /** Decides what is accepted; undefined leaves it undecided. */
  readonly decide: (input: SubmissionInput) => TestDecision | undefined;
  /** What is wrong at this moment. */
  readonly failure: () => TestFailure | undefined;
  /** Unix ms. */
  readonly now: () => number;
}

const KEY_NAME = "default";

/** Does in memory what an installation does, and decides at once. */
export function createMemoryTransport({ ledger, decide, failure, now }: MemoryTransportOptions): Transport {
  const sources = openVerdictSources(
    (wanted) => ledger.stream.takePlace(wanted),
    (wanted, signal) => ledger.stream.tail(wanted, signal),
  );

  function reach(): void {
    if (failure() === "unavailable") throw unavailable(new Error("The test said so."));
  }

  function submit(input: SubmissionInput, idempotencyKey: string): Receipt {
    const { submission } = readSubmission(input);
    checkTestEvent(submission, { isTestKey: false });
    checkObservedAt(submission.context, now());
    const id = submissionId(DEFAULT_TENANT, KEY_NAME, idempotencyKey);
    reach();
    const status = ledger.accept(id, input, submission);
    const record = ledger.records.get(id);
    const decision = status === "accepted" && record !== undefined ? decide(record.input) : undefined;
    if (decision !== undefined && record !== undefined) ledger.decide(record, decision);
    return { id, status };
  }

  async function waitForVerdict(id: string, budget: Parameters<Transport["waitForVerdict"]>[1]) {
    budget.signal?.throwIfAborted();
    if (failure() !== undefined) return undefined;
    await ledger.untilDecided(id, budget);
    return verdictOf(ledger.records.get(id));
  }

  return {
    async submit(input, idempotencyKey, { signal }) {
      signal?.throwIfAborted();
      return submit(input, idempotencyKey);
    },
    async submitAndWait(input, idempotencyKey, budget) {
      budget.signal?.throwIfAborted();
      const { id } = submit(input, idempotencyKey);
      const verdict = await waitForVerdict(id, budget);
      return verdict === undefined ? { id } : { id, verdict };
    },
    async report(input, idempotencyKey, { signal }) {
      const outcome = readOutcome(input);
      signal?.throwIfAborted();
      reach();
      const id = outcomeId(DEFAULT_TENANT, KEY_NAME, idempotencyKey);
      const { submissionId: submission_id, status } = ledger.report(id, outcome);
      return { id, submission_id, status };
    },
    waitForVerdict,
    async getVerdict(id, { signal }) {
      signal?.throwIfAborted();
      reach();
      const record = ledger.records.get(id);
      return record === undefined ? undefined : (verdictOf(record) ?? "pending");
    },
    consume: sources.consume,
    subscribe: sources.subscribe,
    tail: sources.tail,
    async close() {
      ledger.close();
      await sources.stop();
    },
  };
}

function verdictOf(record: MemoryRecord | undefined): Verdict | undefined {
  if (record?.isExpired === true) throw expired(record.id);
  return record?.verdictJson === undefined ? undefined : readVerdictJson(record.verdictJson);
}
