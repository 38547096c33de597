import type { ErasedRows } from "@assay/archive";
import type { StoreCounts, SubjectKind } from "@assay/ledger";
import { showColumns } from "../columns.ts";
import { EXIT, type Report } from "../report.ts";

/** What an erasure did. Nothing in it names the subject but the installation's own hash. */
export interface Receipt {
  readonly tenant: string;
  readonly kind: SubjectKind;
  /** The hash of its tombstone. */
  readonly subject: string;
  /** Unix ms; absent when nothing was erased, because it was only counted. */
  readonly erasedAt?: number;
  readonly redis: StoreCounts;
  /** Absent where there is no archive. Events and labels are only counted as they go. */
  readonly archive?: Partial<ErasedRows>;
  /** How many tombstones were left. */
  readonly tombstones: number;
  /** What was still found afterwards. */
  readonly remaining: number;
  /** Files of lists that hold the subject's value, and archived rulesets whose files do. */
  readonly files: readonly string[];
}

const OUT_OF_REACH = [
  "copies of Redis and Postgres: AOF, RDB, WAL, replicas and backups, until they are rewritten or run out",
  "consumers, subscribers and endpoints that received a verdict, and whoever had one in hand just now",
  "logs at level debug, of Assay and of what stands before it",
  "counters: a hash of a distinct value that erased events share with others stays until its window ends",
  "digests of outcomes: none is left; ids of submissions stay as tombstones, and name nobody",
  "sealed results that no key opens, pending or among dead letters, where their caller named nobody",
  "Fingerprint's own data: DELETE /v4/visitors/{visitor_id} of its Server API, for each visitor id",
];

/** Of whom no event tells. */
const NOT_IN_EVENTS =
  "events made before that come for the first time from now on, by a webhook or a backfill, as no event names a user or a reference: erase their visitors by --visitor, too, whose ids assay export tells before";

/** The receipt, for people and for programs. */
export function showReceipt(receipt: Receipt): Report {
  const { tenant, kind, subject, erasedAt, redis, archive, tombstones, remaining, files } = receipt;
  const isDry = erasedAt === undefined;
  const beyond = kind === "user" || kind === "reference" ? [NOT_IN_EVENTS, ...OUT_OF_REACH] : OUT_OF_REACH;
  const counts = [
    ...Object.entries(redis).map(([store, n]) => [`redis ${store}`, String(n)]),
    ...Object.entries(archive ?? {}).map(([table, n]) => [`archive ${table}`, String(n)]),
  ];
  const lines = [
    `${isDry ? "Would erase" : "Erased"} ${kind} ${subject} of tenant ${tenant}${isDry ? "" : ` at ${new Date(erasedAt).toISOString()}`}.`,
    ...(counts.length === 0 ? ["  Nothing is known of it."] : showColumns(counts).map((line) => `  ${line}`)),
    ...(archive === undefined ? ["No archive: DATABASE_URL is not set."] : []),
    ...(isDry ? [] : [`Tombstones left: ${tombstones}. Still found afterwards: ${remaining}.`]),
    ...(files.length === 0 ? [] : ["Files that hold its value, which are yours to edit:", ...files.map(indented)]),
    "Out of reach:",
    ...beyond.map(indented),
  ];
  return {
    exitCode: remaining > 0 || files.length > 0 ? EXIT.faulty : EXIT.fine,
    json: {
      tenant,
      kind,
      subject,
      dry_run: isDry,
      ...(isDry ? {} : { erased_at: erasedAt }),
      redis,
      ...(archive === undefined ? {} : { archive }),
      tombstones,
      remaining,
      files,
      out_of_reach: beyond,
    },
    text: lines.join("\n"),
  };
}

function indented(line: string): string {
  return `  ${line}`;
}
