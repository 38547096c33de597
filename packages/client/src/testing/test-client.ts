import type { OutcomeInput, SubmissionInput, Verdict } from "@assay/protocol";
import { type AssayClient, clientOver } from "../client.ts";
import { readVerdictJson } from "../verdict-json.ts";
import { createMemoryLedger, type MemoryRecord } from "./memory-ledger.ts";
import { createMemoryTransport, type TestFailure } from "./memory-transport.ts";
import type { TestDecision } from "./verdict-on.ts";

export interface TestClientOptions {
  /**
   * Decides each new submission, once for an Idempotency-Key; default: allows everything. Undefined leaves it undecided
   * until `settle`. What it throws, the call throws.
   */
  readonly decide?: (input: SubmissionInput) => TestDecision | undefined;
  /** Unix ms; default the machine's clock. */
  readonly now?: () => number;
}

/** A submission that was accepted. */
export interface Submitted {
  readonly id: string;
  readonly input: SubmissionInput;
  /** Absent while it is undecided. */
  readonly verdict?: Verdict;
}

/** An AssayClient that keeps everything in memory: the same checks, ids, results and problems, and no installation. */
export interface TestClient extends AssayClient {
  /** Every submission that was accepted, oldest first. A repetition stands here once. */
  readonly submitted: readonly Submitted[];
  /** Every outcome that was accepted, oldest first. */
  readonly reported: readonly OutcomeInput[];
  /** The verdict on a submission; undefined while there is none. */
  verdict(id: string): Verdict | undefined;
  /** Decides a submission that `decide` left undecided; the first decision stays. Throws a RangeError for an unknown id. */
  settle(id: string, decision: TestDecision): void;
  /** Makes a verdict one that is no longer kept. Throws a RangeError for an id that is not decided. */
  expire(id: string): void;
  /**
   * From now on nothing answers: `unavailable` accepts nothing, and calls throw that; `timeout` accepts and decides, and
   * the verdict comes too late for whoever waits. `decide` answers `otherwise`, without letting the time pass.
   */
  fail(how: TestFailure): void;
  /** Ends what `fail` began. */
  recover(): void;
}

/** Creates a client for tests. It needs no network and no Redis, and two of them know nothing of each other. */
export function createTestClient(options: TestClientOptions = {}): TestClient {
  const { decide = () => "allow", now = () => Date.now() } = options;
  const ledger = createMemoryLedger(now);
  const reported: OutcomeInput[] = [];
  let failure: TestFailure | undefined;
  const client = clientOver(createMemoryTransport({ ledger, decide, failure: () => failure, now }));

  function recordOf(id: string): MemoryRecord {
    const record = ledger.records.get(id);
    if (record === undefined) throw new RangeError(`No submission with the id ${id} was accepted.`);
    return record;
  }

  return {
    ...client,
    async report(outcome, reportOptions) {
      const receipt = await client.report(outcome, reportOptions);
      if (receipt.status === "accepted") reported.push(structuredClone(outcome));
      return receipt;
    },
    get submitted() {
      return [...ledger.records.values()].map(submittedOf);
    },
    reported,
    verdict(id) {
      const record = ledger.records.get(id);
      return record === undefined ? undefined : submittedOf(record).verdict;
    },
    settle: (id, decision) => ledger.decide(recordOf(id), decision),
    expire(id) {
      const record = recordOf(id);
      if (record.verdictJson === undefined) throw new RangeError(`The submission ${id} is not decided.`);
      record.isExpired = true;
    },
    fail(how) {
      failure = how;
    },
    recover() {
      failure = undefined;
    },
  };
}

function submittedOf({ id, input, verdictJson }: MemoryRecord): Submitted {
  return { id, input, ...(verdictJson === undefined ? {} : { verdict: readVerdictJson(verdictJson) }) };
}
