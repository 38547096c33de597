import { toEvent } from "@assay/fingerprint";
import type { EventSource } from "@assay/protocol";
import type { WorkerMetrics } from "./metrics.ts";
import type { Sourced } from "./sourced.ts";

/** Reads JSON as an event; what is none is undecided. */
export type ReadEvent = (
  json: unknown,
  source: EventSource,
) => Extract<Sourced, { readonly status: "event" | "undecided" }>;

/** Builds the reader, which counts what the vendor's schema did not name. */
export function createReadEvent({ unknownFields }: Pick<WorkerMetrics, "unknownFields">): ReadEvent {
  return (json, source) => {
    const found = toEvent(json);
    if (!found.ok) return { status: "undecided", code: "not_an_event" };
    unknownFields.inc({ kind: "field" }, found.unknownFields.length);
    unknownFields.inc({ kind: "value" }, found.unknownValues.length);
    return { status: "event", event: found.event, source };
  };
}
