/** Times of the archive, in ms. */
export interface ArchiveTiming {
  /** How long a read waits for the first entry. */
  readonly blockMs: number;
  /** After this time a dead process's entries are another's: longer than it takes to write a batch. */
  readonly takeoverAfterMs: number;
  /** The pause after the first failure in a row, which doubles… */
  readonly firstPauseMs: number;
  /** …up to this one. Each is up to a half shorter, by chance. */
  readonly longestPauseMs: number;
  /** For a connection to Postgres, and for one statement. */
  readonly statementMs: number;
  /** How often Postgres is asked whether it can be used. */
  readonly probeMs: number;
  /** How often days are made and dropped. */
  readonly maintenanceMs: number;
}

/** As an archiving process has them. */
export const ARCHIVE_TIMING: ArchiveTiming = {
  blockMs: 1_000,
  takeoverAfterMs: 12_000,
  firstPauseMs: 250,
  longestPauseMs: 5_000,
  statementMs: 10_000,
  probeMs: 5_000,
  maintenanceMs: 3_600_000,
};
