import { isRecord } from "@assay/protocol";

/** The shapes in which an event comes: v4, v3 by product, and v3's flat webhook. */
export type EventVersion = "v4" | "v3" | "v3_webhook";

/**
 * Which shape JSON has, by the fields that only that shape has. Undefined when it is no event: a search page, an
 * error, a v3 answer in which every product failed. Says nothing about whether its values are usable.
 */
export function eventVersion(json: unknown): EventVersion | undefined {
  if (!isRecord(json)) return undefined;
  if (Object.hasOwn(json, "event_id")) return Object.hasOwn(json, "timestamp") ? "v4" : undefined;
  if (isRecord(json["products"])) return hasData(json["products"]) ? "v3" : undefined;
  return Object.hasOwn(json, "requestId") && Object.hasOwn(json, "timestamp") ? "v3_webhook" : undefined;
}

function hasData(products: Record<string, unknown>): boolean {
  return Object.values(products).some((product) => isRecord(product) && isRecord(product["data"]));
}
