import {
  readEventVerdicts,
  readSubmissionState,
  readVerdict,
  type SubmissionState,
  type VerdictState,
} from "@assay/ledger";
import { type Keys, ProblemError } from "@assay/protocol";
import type { Redis } from "ioredis";
import { REDIS_ANSWER_MS } from "./accept-arrival.ts";
import { within } from "./within.ts";

/** Reads of the ledger. Each answers within 2.4 s or throws a ProblemError `unavailable`. */
export interface LedgerReader {
  verdict(id: string): Promise<VerdictState>;
  /** Undefined when it is not known. */
  submission(id: string): Promise<SubmissionState | undefined>;
  /** Verdicts on an event as JSON, newest first, at most 100. */
  eventVerdicts(eventId: string): Promise<string[]>;
}

export interface LedgerReaderOptions {
  readonly redis: Redis;
  readonly keys: Keys;
  /** Unix ms. */
  readonly now: () => number;
}

/** Reads on a connection for commands. */
export function createLedgerReader({ redis, keys, now }: LedgerReaderOptions): LedgerReader {
  return {
    verdict: (id) => answered(readVerdict(redis, keys, id), id),
    submission: (id) => answered(readSubmissionState(redis, keys, id, now()), id),
    eventVerdicts: (eventId) => answered(readEventVerdicts(redis, keys, eventId)),
  };
}

async function answered<Result>(read: Promise<Result>, id?: string): Promise<Result> {
  try {
    return await within(read, REDIS_ANSWER_MS, () => new Error("Command timed out"));
  } catch (cause) {
    throw new ProblemError("unavailable", "Redis did not answer. Repeat the request.", { id, cause });
  }
}
