import { ArchiveError } from "@assay/archive";
import { isPassing } from "@assay/ledger";
import { ProblemError } from "@assay/protocol";

/** Whether what was thrown may pass: Redis or the archive is away, or the producer is full. */
export function mayPass(error: unknown): error is Error {
  if (error instanceof ArchiveError) return error.code === "archive_unavailable";
  if (error instanceof ProblemError) return error.toProblem().retryable;
  return error instanceof Error && isPassing(error);
}

/** What passes, without a full stop. */
export function whyOf(error: Error): string {
  if (error instanceof ArchiveError) return error.message.replace(/\.$/, "");
  return "Redis does not answer, or takes no writes";
}
