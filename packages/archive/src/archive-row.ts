import type { Label } from "@assay/protocol";

/** Something to keep. Writing it again changes nothing: what is there stands. */
export type ArchiveRow = VerdictRow | RulesetRow | LabelRow | AuditRow;

/** A verdict and what it was made from. Its key is tenant, `received_at` and id, all of which are in it. */
export interface VerdictRow {
  readonly type: "verdict";
  readonly tenant: string;
  /** JSON as it was published; kept byte by byte. */
  readonly verdict: string;
  /** What it was made from besides its submission and its event, as the ledger pinned it. */
  readonly pinned: string;
  /** JSON of the submission: kind, context, facts. Kept as long as the event. */
  readonly submission: string;
  /** The event's JSON, deflated (raw). Absent where there was none. */
  readonly event?: Uint8Array;
  /** Its id in the stream `verdicts`, such as `1764252000000-0`. Without one `published` does not find it. */
  readonly streamId?: string;
}

/** The files of a ruleset, by the digest that verdicts name. */
export interface RulesetRow {
  readonly type: "ruleset";
  readonly digest: string;
  readonly name: string;
  readonly engine: string;
  /** Path → text of every file that is needed to load it again. */
  readonly files: Readonly<Record<string, string>>;
  /** Unix ms. */
  readonly loadedAt: number;
}

/** What became of a submission. */
export interface LabelRow {
  readonly type: "label";
  readonly tenant: string;
  /** The outcome's. */
  readonly id: string;
  readonly submissionId: string;
  readonly outcome?: string;
  readonly label?: Label;
  /** Unix ms. */
  readonly occurredAt: number;
  /** Unix ms. */
  readonly toldAt: number;
}

/** Who did what to the installation. */
export interface AuditRow {
  readonly type: "audit";
  readonly tenant: string;
  readonly id: string;
  /** Unix ms. */
  readonly at: number;
  /** Name of a key or a person. */
  readonly actor: string;
  /** What was done, such as `ruleset.published`. */
  readonly act: string;
  /** To what. */
  readonly subject: string;
  readonly detail: Readonly<Record<string, unknown>>;
}
