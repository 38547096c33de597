import { type Event, isEventId, isRecord } from "@assay/protocol";
import { eventVersion } from "./event-version.ts";
import type { ChosenField } from "./field-tree.ts";
import { isDefaultFor, platformOf } from "./platform.ts";
import { type Findings, readChosen, type ReadFields, readFields } from "./read-fields.ts";
import { fromV3, type SignalError } from "./v3-event.ts";
import { withoutSignals } from "./without-signals.ts";

/** Why JSON is no event. Closed list. */
export type RefusalReason = "not_an_object" | "unknown_shape" | "invalid_event_id" | "invalid_timestamp";

/** An event in v4 shape with what was found on the way, or a refusal that holds none of the data. */
export type ToEvent =
  | (Findings & {
      readonly ok: true;
      readonly event: Event;
      /** v3 products that answered with an error: their signals are absent. At most 32. */
      readonly signalErrors: readonly SignalError[];
    })
  | { readonly ok: false; readonly code: "not_an_event"; readonly reason: RefusalReason };

/**
 * Reads a v4 event, a v3 event with `products` or a flat v3 webhook as one v4 event. Absent stays absent; null and
 * values of a wrong type become absent, and so does a factory reset at time 0; a partially completed event loses its
 * signals. Of a v4 event only the fields of `only` are read, all when it is left out. Never
 * throws on JSON and never changes it; nor must you afterwards, as the event shares what is the same in both.
 */
export function toEvent(json: unknown, only?: readonly ChosenField[]): ToEvent {
  if (!isRecord(json)) return refuse("not_an_object");
  const version = eventVersion(json);
  switch (version) {
    case undefined:
      return refuse("unknown_shape");
    case "v4":
      return finish(only === undefined ? readFields(json) : readChosen(json, only), []);
    case "v3":
    case "v3_webhook": {
      const { draft, signalErrors, unknownFields } = fromV3(json, version);
      const platform = platformOf(draft);
      const read = readFields(draft, { unknownFields, leaveOut: ({ field }) => isDefaultFor(platform, field) });
      return finish(read, signalErrors);
    }
  }
}

function finish(
  { fields, unknownFields, unknownValues, wrongTypes }: ReadFields,
  signalErrors: readonly SignalError[],
): ToEvent {
  const isPartial = fields["incremental_identification_status"] === "partially_completed";
  const event = withoutNever(isPartial ? withoutSignals(fields) : fields);
  // Named one by one and never copied: a spread of an event takes longer than a third of reading it.
  if (isEvent(event)) return { ok: true, event, unknownFields, unknownValues, wrongTypes, signalErrors };
  return refuse(hasEventId(event) ? "invalid_timestamp" : "invalid_event_id");
}

/** Whether fields, all of the documented types, hold what every event has. */
function isEvent(fields: Record<string, unknown>): fields is Event {
  const { timestamp } = fields;
  return hasEventId(fields) && typeof timestamp === "number" && timestamp > 0;
}

function hasEventId({ event_id: eventId }: Record<string, unknown>): boolean {
  return typeof eventId === "string" && isEventId(eventId);
}

function refuse(reason: RefusalReason): ToEvent {
  return { ok: false, code: "not_an_event", reason };
}

// The vendor's way to say that it does not know when. As a time it would be long ago, and look harmless.
function withoutNever(fields: Record<string, unknown>): Record<string, unknown> {
  if (fields["factory_reset_timestamp"] !== 0) return fields;
  const { factory_reset_timestamp: _, ...others } = fields;
  return others;
}
