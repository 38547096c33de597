import { ArchiveError, type ArchiveReader, createArchivePool, createArchiveReader } from "@assay/archive";
import { ProblemError } from "@assay/protocol";
import { within } from "./within.ts";

/** Reads of the archive. They have connections and times of their own: whatever Postgres does, nobody else waits. */
export interface ArchiveLink {
  /**
   * What `ask` finds, within 5 s. Throws a ProblemError: `archive_unavailable` when Postgres does not answer, or
   * `invalid_field` for a cursor that is none of ours.
   */
  read<Found>(ask: (archive: ArchiveReader) => Promise<Found>): Promise<Found>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

export interface ArchiveLinkOptions {
  /** Tells where Postgres is, `postgres://…`: asked for each connection. */
  readonly url: () => string;
}

const MAX_CONNECTIONS = 4;
// Well below the bound of the answer, which may take several statements.
const STATEMENT_MS = 2000;
const ANSWER_MS = 5000;
const STOP_MS = 2000;

/** Connects when it is first asked. */
export function openArchiveLink({ url }: ArchiveLinkOptions): ArchiveLink {
  const pool = createArchivePool({
    connectionString: url,
    maxConnections: MAX_CONNECTIONS,
    timeoutMs: STATEMENT_MS,
  });
  const archive = createArchiveReader({ pool });
  return {
    async read(ask) {
      try {
        return await within(ask(archive), ANSWER_MS, tooLate);
      } catch (error) {
        throw problemOf(error);
      }
    },
    // A Postgres that hangs does not take its leave.
    stop: () => within(archive.stop(), STOP_MS, tooLate).catch(() => undefined),
  };
}

function tooLate(): ArchiveError {
  return new ArchiveError("archive_unavailable", "The archive took too long.");
}

function problemOf(error: unknown): unknown {
  if (!(error instanceof ArchiveError)) return error;
  switch (error.code) {
    case "archive_unavailable":
      return new ProblemError("archive_unavailable", "The archive did not answer. Repeat the request.", {
        cause: error,
      });
    case "cursor_invalid":
      return new ProblemError("invalid_field", "cursor must be the one that came with a page. Leave it out to begin.", {
        field: "cursor",
      });
    // What nobody can read was not written by us.
    case "archive_rejected":
      return error;
  }
}
