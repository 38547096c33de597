import { type DatabaseAddress, type EnvReader, readDatabaseAddress } from "@assay/host";

/** What the environment says of the archive. */
export interface ArchiveConfig extends DatabaseAddress {
  /** `postgres://…`. Whoever decides never connects to it. */
  readonly databaseUrl: string;
  /** How long verdicts and labels are kept. */
  readonly retentionDays: number;
  /** How long events are kept, with what they were submitted with: never longer than verdicts. */
  readonly eventRetentionDays: number;
}

/** Bytes that may wait in Redis for the archive, where nothing else is said. */
const MAX_BACKLOG_BYTES = 128 * 1024 * 1024;

/** Reads where the archive is, and how much may wait for it; no archive when nothing says so. */
export function readArchiveConfig(reader: EnvReader): { archive?: ArchiveConfig; maxArchiveBytes: number } {
  const { databaseUrl, ...address } = readDatabaseAddress(reader);
  const days = { min: 1, max: 3650 };
  const retentionDays = reader.integer("ASSAY_RETENTION_DAYS", { default: 90, ...days });
  const eventDays = reader.integer("ASSAY_EVENT_RETENTION_DAYS", { default: 30, ...days });
  const maxArchiveBytes = reader.integer("ASSAY_ARCHIVE_BACKLOG_MAX_BYTES", {
    default: MAX_BACKLOG_BYTES,
    min: 1024 * 1024,
  });
  if (databaseUrl === undefined) return { maxArchiveBytes };
  const eventRetentionDays = Math.min(eventDays, retentionDays);
  return { archive: { ...address, databaseUrl, retentionDays, eventRetentionDays }, maxArchiveBytes };
}
