import { UnsealError, type Unsealer } from "@assay/fingerprint";
import type { Work } from "@assay/ledger";
import { type Event, MAX_EVENT_BYTES } from "@assay/protocol";
import type { LookUp } from "./look-up.ts";
import type { WorkerMetrics } from "./metrics.ts";
import type { ReadEvent } from "./read-event.ts";
import type { Sightings } from "./sightings.ts";
import type { Source, Sourced, SourcedEvent } from "./sourced.ts";

export interface SourceOptions {
  /** Absent when no sealed keys are configured. */
  readonly unsealer?: Unsealer;
  readonly lookUp: LookUp;
  /** Whether a vendor API key is configured. */
  readonly canAsk: boolean;
  readonly readEvent: ReadEvent;
  /** Keeps an event for whoever asks for it by id, and rings for those that wait for it. */
  bring(eventId: string, event: Event, signal: AbortSignal): Promise<void>;
  readonly metrics: Pick<WorkerMetrics, "unseal">;
  readonly sightings: Pick<Sightings, "unsealed">;
}

/** Builds the way from a submission to its Event: unseal, read the webhook's body, or find the event by its id. */
export function createSource(options: SourceOptions): Source {
  const { metrics, readEvent, sightings } = options;

  function unseal(payload: Uint8Array | undefined): Sourced {
    if (options.unsealer === undefined) return { status: "undecided", code: "no_key_opens" };
    try {
      const { json, keyId } = options.unsealer.unseal(payload ?? new Uint8Array());
      metrics.unseal.inc({ key: keyId, outcome: "ok" });
      sightings.unsealed({ keyId });
      return readEvent(json, "sealed");
    } catch (error) {
      if (!(error instanceof UnsealError)) throw error;
      metrics.unseal.inc({ key: "none", outcome: error.code });
      sightings.unsealed({ code: error.code });
      return { status: "undecided", code: error.code };
    }
  }

  /** A seal that no key of ours opens says nothing: its event is asked for by the id that came with it. */
  async function unsealOrLookUp(work: Work, signal: AbortSignal, mayAsk: boolean): Promise<Sourced> {
    const sourced = unseal(work.payload);
    const isShut = sourced.status === "undecided" && sourced.code === "no_key_opens";
    if (!isShut || work.meta.event_id === undefined || !options.canAsk) return sourced;
    if (!mayAsk) return { status: "to_lookups" };
    return inDegradedWay(await lookUp(work, signal));
  }

  function readWebhook(payload: Uint8Array | undefined): Sourced {
    if (payload === undefined) return { status: "undecided", code: "not_an_event" };
    if (payload.length > MAX_EVENT_BYTES) return { status: "undecided", code: "too_large" };
    const json = parseJson(payload);
    return json === undefined ? { status: "undecided", code: "invalid_json" } : readEvent(json, "webhook");
  }

  async function lookUp(work: Work, signal: AbortSignal): Promise<Sourced> {
    const sourced = await options.lookUp(work, signal);
    // Under the id that was asked for: by that one others wait for it.
    if (sourced.status === "event" && sourced.source === "lookup") await bring(work.meta.event_id, sourced, signal);
    return sourced;
  }

  async function bring(eventId: string | undefined, { event }: SourcedEvent, signal: AbortSignal): Promise<void> {
    await options.bring(eventId ?? event.event_id, event, signal);
  }

  return async (work, signal, { mayAsk }) => {
    switch (work.meta.kind) {
      case "sealed":
        return unsealOrLookUp(work, signal, mayAsk);
      case "webhook":
      case "backfill": {
        const sourced = readWebhook(work.payload);
        if (sourced.status === "event") await bring(undefined, sourced, signal);
        return sourced;
      }
      case "lookup":
        return lookUp(work, signal);
    }
  };
}

function inDegradedWay(sourced: Sourced): Sourced {
  if (sourced.status !== "event" && sourced.status !== "undecided") return sourced;
  return { ...sourced, degraded: ["seal_did_not_open"] };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
}
