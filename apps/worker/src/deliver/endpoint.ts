import type { VerdictCondition } from "@assay/rules";
import type { Verdict } from "@assay/protocol";
import type { DeliveredFields } from "./delivery-body.ts";

/** Where signed verdicts go, as the file of endpoints says it. */
export interface Endpoint {
  /** Unlike that of every other endpoint, of any tenant: it is a label of metrics. */
  readonly name: string;
  readonly tenant: string;
  readonly url: string;
  /** `whsec_…`, newest first; a delivery is signed with each. At least one. */
  readonly secrets: readonly string[];
  /** Absent wants every verdict. */
  readonly filter?: VerdictCondition;
  readonly fields: DeliveredFields;
  /** Whether it wants verdicts that came too late for whoever asked. */
  readonly late: boolean;
  /** Whether it wants verdicts on backfilled events. */
  readonly backfilled: boolean;
  /** Whether it may be at a private address, and without TLS there. */
  readonly allowPrivate: boolean;
  /** Sent beside our own. They may hold secrets. */
  readonly headers: Readonly<Record<string, string>>;
  /** A hold from before this time (unix ms) is over; 0 when none is. */
  readonly resumedAt: number;
}

/** Whether an endpoint is to get a verdict. A test's is for nobody. */
export function isWantedBy({ late, backfilled, filter }: Endpoint, verdict: Verdict): boolean {
  if (verdict.test === true) return false;
  if (verdict.late === true && !late) return false;
  if (verdict.kind === "backfill" && !backfilled) return false;
  return filter?.meets(verdict) ?? true;
}
