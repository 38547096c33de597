export { ArchiveError, type ArchiveErrorCode } from "./archive-error.ts";
export { type ArchivePool, type ArchivePoolOptions, createArchivePool } from "./archive-pool.ts";
export {
  type ArchivedEvent,
  type ArchivedLabel,
  type ArchivedRuleset,
  type ArchivedVerdict,
  type ArchiveReader,
  type ArchiveReaderOptions,
  createArchiveReader,
  type VerdictPage,
  type Wanted,
} from "./archive-reader.ts";
export type { ArchiveRow, AuditRow, LabelRow, RulesetRow, VerdictRow } from "./archive-row.ts";
export {
  type ArchiveWriter,
  type ArchiveWriterOptions,
  createArchiveWriter,
  type Rejection,
  type Written,
} from "./archive-writer.ts";
export type { BacktestPage, BacktestRange } from "./backtest-rows.ts";
export { maintainArchive, type Maintained, type Retention } from "./maintain-archive.ts";
export { pendingMigrations } from "./migrations.ts";
export type { PublishedRange, PublishedVerdict } from "./read-published.ts";
export type { VerdictFilter } from "./verdict-query.ts";
