import { isRecord } from "@assay/protocol";

/** The ids a doorbell names; none when its data is not ours (a job whose hash is gone comes with empty data). */
export function readIds(data: unknown): string[] {
  if (!isRecord(data) || data["v"] !== 1 || !Array.isArray(data["ids"])) return [];
  return data["ids"].filter((id) => typeof id === "string");
}
