import { redriveOf } from "./ids.ts";
import { DEFAULT_TENANT } from "./tenant.ts";

/** The lanes of work. */
export const LANES = ["results", "background", "lookups"] as const;

export type Lane = (typeof LANES)[number];

/**
 * The BullMQ queue of a lane: its own name, which all tenants share. Lookups have a queue for each tenant, because the
 * vendor holds up whole queues: `lookups` for the default tenant, `lookups-<tenant>` for another.
 */
export function queueName(lane: Lane, tenant: string): string {
  return lane === "lookups" && tenant !== DEFAULT_TENANT ? `${lane}-${tenant}` : lane;
}

/** The queue where a submission that was already tried runs alone. It is not a lane: nothing is accepted into it. */
export const SUSPECTS_QUEUE = "suspects";

/** A doorbell: says that these submissions wait in the ledger, and carries nothing of them. */
export interface JobData {
  readonly v: 1;
  readonly tenant: string;
  readonly ids: readonly string[];
}

/** How a submission came in. */
export const KINDS = ["lookup", "sealed", "webhook", "backfill"] as const;

export type Kind = (typeof KINDS)[number];

/**
 * The lane a kind waits in: somebody may be waiting for a sealed result, but not for one that is redriven, which its id
 * says; the vendor's rate limit rules lookups.
 */
export function laneOf(kind: Kind, id?: string): Lane {
  switch (kind) {
    case "sealed":
      return id === undefined || redriveOf(id) === undefined ? "results" : "background";
    case "lookup":
      return "lookups";
    case "webhook":
    case "backfill":
      return "background";
  }
}
