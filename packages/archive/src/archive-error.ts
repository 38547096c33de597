/** What went wrong with the archive. */
export type ArchiveErrorCode =
  /** Postgres is away, busy, read-only, not migrated or refuses us. It passes, or an operator ends it: repeat. */
  | "archive_unavailable"
  /** Postgres will never take this row. */
  | "archive_rejected"
  /** A cursor that no answer of ours held. */
  | "cursor_invalid";

/** A fault of the archive. Its message and cause hold no row: Postgres quotes values in what it says of them. */
export class ArchiveError extends Error {
  override readonly name = "ArchiveError";
  readonly code: ArchiveErrorCode;
  /** Postgres's own code, such as `40P01`; absent for a fault that is not Postgres's. */
  readonly sqlState: string | undefined;
  /** Whether a table or a column of this version is not there: `assay migrate` makes it. */
  readonly isUnmigrated: boolean;

  constructor(code: ArchiveErrorCode, message: string, options: ErrorOptions & { readonly sqlState?: string } = {}) {
    super(message, options);
    this.code = code;
    this.sqlState = options.sqlState;
    this.isUnmigrated = options.sqlState !== undefined && NOT_MIGRATED.test(options.sqlState);
  }
}

/** No partition takes the row: no other check stands on our tables. */
export const NO_PARTITION = "23514";
/** There is no such table, schema or column. */
const NOT_MIGRATED = /^(?:42P01|3F000|42703)$/;
// Data exceptions, integrity constraints and limits of a row: they hang on the row, whenever it comes.
const HANGS_ON_THE_ROW = /^(?:22|23|54)/;

/** What an error of `pg`'s means to us. */
export function archiveErrorOf(error: unknown): ArchiveError {
  if (error instanceof ArchiveError) return error;
  const sqlState = sqlStateOf(error);
  if (sqlState !== undefined && HANGS_ON_THE_ROW.test(sqlState)) {
    return new ArchiveError("archive_rejected", `Postgres refuses this row (${sqlState}).`, { sqlState });
  }
  const advice = sqlState !== undefined && NOT_MIGRATED.test(sqlState) ? " Run: assay migrate" : "";
  const why = sqlState ?? systemCodeOf(error) ?? firstLineOf(error);
  const message = `The archive's Postgres cannot be used now (${why}).${advice}`;
  return new ArchiveError("archive_unavailable", message, sqlState === undefined ? { cause: error } : { sqlState });
}

function sqlStateOf(error: unknown): string | undefined {
  const code = codeOf(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && error instanceof Error && "severity" in error
    ? code
    : undefined;
}

function systemCodeOf(error: unknown): string | undefined {
  // Several addresses that all refuse are an AggregateError without a message.
  return codeOf(error) ?? (error instanceof AggregateError ? codeOf(error.errors[0]) : undefined);
}

// The tool for migrations puts whole stacks into its messages.
function firstLineOf(error: unknown): string {
  return error instanceof Error ? (error.message.split("\n")[0] ?? "") : "unknown";
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
