/** `fail` breaks something now, `warn` deserves a look, `skip` could not be judged here. */
export type FindingStatus = "ok" | "warn" | "fail" | "skip";

/** What one check found. */
export interface Finding {
  readonly name: string;
  readonly status: FindingStatus;
  /** What is so. */
  readonly says: string;
  /** What to change, where there is something. */
  readonly do?: string | undefined;
}

/** A finding of a tenant, or of the whole installation. */
export interface PlacedFinding extends Finding {
  readonly tenant?: string;
}
