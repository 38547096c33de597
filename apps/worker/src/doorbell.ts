import { isRecord, isTenantName } from "@assay/protocol";

/** Whose submissions wait in the ledger, and which. */
export interface Doorbell {
  readonly tenant: string;
  readonly ids: readonly string[];
}

/** What a job's data says; undefined when it is not ours (a job whose hash is gone comes with empty data). */
export function readDoorbell(data: unknown): Doorbell | undefined {
  if (!isRecord(data) || data["v"] !== 1 || !Array.isArray(data["ids"])) return undefined;
  const { tenant } = data;
  const ids = data["ids"].filter((id) => typeof id === "string");
  if (typeof tenant !== "string" || !isTenantName(tenant) || ids.length === 0) return undefined;
  return { tenant, ids };
}
