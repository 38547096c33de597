import { createHash } from "node:crypto";
import { type RefusalReason, toEvent } from "@assay/fingerprint";
import { type Event, isRecord, MAX_EVENT_BYTES } from "@assay/protocol";
import type { TimeRange } from "./time-range.ts";

/** One of a page's events. `name` is the same whenever it comes. */
export type PageEvent = { readonly name: string } & (
  | { readonly ok: true; readonly event: Event; readonly payload: Uint8Array }
  | { readonly ok: false; readonly reason: RefusalReason | "too_large" }
);

/** Reads what the vendor gave; what was made outside of the range is left out, as it was not asked for. */
export function readPageEvents(raw: readonly unknown[], { since, until }: TimeRange): PageEvent[] {
  return raw.map(readPageEvent).filter((one) => {
    if (!one.ok) return true;
    return one.event.timestamp >= since && one.event.timestamp < until;
  });
}

function readPageEvent(json: unknown): PageEvent {
  const payload = Buffer.from(JSON.stringify(json));
  const read = toEvent(json);
  if (!read.ok) return { name: nameOf(json, payload), ok: false, reason: read.reason };
  const { event } = read;
  if (payload.byteLength > MAX_EVENT_BYTES) return { name: event.event_id, ok: false, reason: "too_large" };
  return { name: event.event_id, ok: true, event, payload };
}

function nameOf(json: unknown, payload: Uint8Array): string {
  if (isRecord(json) && typeof json["event_id"] === "string") return json["event_id"];
  return createHash("sha256").update(payload).digest("base64url");
}
