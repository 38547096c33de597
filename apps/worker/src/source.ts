import { type Lookups, type RefusedSetting, toEvent, UnsealError, type Unsealer } from "@assay/fingerprint";
import type { Work } from "@assay/ledger";
import { type Event, type EventSource, MAX_EVENT_BYTES, type UndecidedCode } from "@assay/protocol";
import type { WorkerMetrics } from "./metrics.ts";

/** What became of the way from a submission to its event. */
export type Sourced =
  | { readonly status: "event"; readonly event: Event; readonly source: EventSource }
  | { readonly status: "undecided"; readonly code: UndecidedCode }
  /** Not yet: try again at `until` (unix ms). A retry is spent or not; `holdLane` stops the whole lane till then. */
  | {
      readonly status: "wait";
      readonly why: string;
      readonly until: number;
      readonly spendsRetry: boolean;
      readonly holdLane: boolean;
    };

export type Source = (work: Work, signal: AbortSignal) => Promise<Sourced>;

export interface SourceOptions {
  /** Absent when no sealed keys are configured. */
  readonly unsealer?: Unsealer;
  /** Absent when no vendor API key is configured. */
  readonly lookups?: Pick<Lookups, "lookup">;
  /** Takes one lookup from the key's bucket: 0, or the ms to wait. */
  takeLookup(signal: AbortSignal): Promise<number>;
  readStored(eventId: string, signal: AbortSignal): Promise<string | undefined>;
  store(eventId: string, json: string, signal: AbortSignal): Promise<void>;
  /** Told of every lookup that the vendor refuses: somebody must mend the setting. */
  onRefused(setting: RefusedSetting): void;
  readonly metrics: WorkerMetrics;
  readonly now: () => number;
}

/** A lookup is decided at the latest this long after it was received. */
const DECIDE_WITHIN_MS = 60_000;
/** An event id may be unknown to the vendor's API for this long after it was made. */
const YOUNG_EVENT_MS = 20_000;
const MAX_NOT_FOUND_RETRIES = 2;
const NOT_FOUND_DELAY_MS = 3000;
const SHORT_DELAY_MS = 2000;

/** Builds the way from a submission to its Event: unseal, read the webhook's body, or ask for the event by its id. */
export function createSource(options: SourceOptions): Source {
  const { metrics } = options;

  function read(json: unknown, source: EventSource): Sourced {
    const found = toEvent(json);
    if (!found.ok) return { status: "undecided", code: "not_an_event" };
    metrics.unknownFields.inc({ kind: "field" }, found.unknownFields.length);
    metrics.unknownFields.inc({ kind: "value" }, found.unknownValues.length);
    return { status: "event", event: found.event, source };
  }

  function unseal(payload: Uint8Array | undefined): Sourced {
    if (options.unsealer === undefined) return { status: "undecided", code: "no_key_opens" };
    try {
      const { json, keyId } = options.unsealer.unseal(payload ?? new Uint8Array());
      metrics.unseal.inc({ key: keyId, outcome: "ok" });
      return read(json, "sealed");
    } catch (error) {
      if (!(error instanceof UnsealError)) throw error;
      metrics.unseal.inc({ key: "none", outcome: error.code });
      return { status: "undecided", code: error.code };
    }
  }

  function readWebhook(payload: Uint8Array | undefined): Sourced {
    if (payload === undefined) return { status: "undecided", code: "not_an_event" };
    if (payload.length > MAX_EVENT_BYTES) return { status: "undecided", code: "too_large" };
    const json = parseJson(payload);
    return json === undefined ? { status: "undecided", code: "invalid_json" } : read(json, "webhook");
  }

  async function lookUp(work: Work, signal: AbortSignal): Promise<Sourced> {
    const eventId = work.meta.event_id ?? "";
    const stored = await options.readStored(eventId, signal);
    if (stored !== undefined) return read(JSON.parse(stored), "stored");
    const now = options.now();
    const decideBy = work.receivedAt + DECIDE_WITHIN_MS;
    // From now on, and not from before the vendor was asked: it may have taken all of its time.
    const waitOr = (
      code: UndecidedCode,
      why: string,
      delayMs: number,
      { spendsRetry = false, holdLane = false } = {},
    ): Sourced => {
      const until = options.now() + delayMs;
      return until > decideBy ? { status: "undecided", code } : { status: "wait", why, until, spendsRetry, holdLane };
    };
    if (options.lookups === undefined) return waitOr("event_not_received", "event_not_received", SHORT_DELAY_MS);
    if (now > decideBy) return { status: "undecided", code: "lookup_saturated" };
    const emptyForMs = await options.takeLookup(signal);
    if (emptyForMs > 0) return waitOr("lookup_saturated", "lookup_rate", emptyForMs, { holdLane: true });

    const timer = metrics.lookupDuration.startTimer();
    const outcome = await options.lookups.lookup(eventId, { signal });
    timer();
    metrics.lookupRequests.inc({ status: outcome.status });
    switch (outcome.status) {
      case "event":
        return read(outcome.json, "lookup");
      case "not_found": {
        const isYoung = now - madeAt(eventId, work.receivedAt) < YOUNG_EVENT_MS;
        if (!isYoung || work.retries >= MAX_NOT_FOUND_RETRIES) return { status: "undecided", code: "event_not_found" };
        return waitOr("event_not_found", "event_not_found", NOT_FOUND_DELAY_MS, { spendsRetry: true });
      }
      case "throttled":
        return waitOr("lookup_saturated", "vendor_throttled", SHORT_DELAY_MS, { holdLane: true });
      case "refused":
        options.onRefused(outcome.setting);
        return { status: "undecided", code: "lookup_refused" };
      case "unavailable":
        return waitOr("lookup_unavailable", "vendor_unavailable", SHORT_DELAY_MS * 2 ** Math.min(work.retries, 3), {
          spendsRetry: true,
        });
    }
  }

  return async (work, signal) => {
    switch (work.meta.kind) {
      case "sealed":
        return unseal(work.payload);
      case "webhook":
      case "backfill": {
        const sourced = readWebhook(work.payload);
        if (sourced.status === "event")
          await options.store(sourced.event.event_id, JSON.stringify(sourced.event), signal);
        return sourced;
      }
      case "lookup": {
        const sourced = await lookUp(work, signal);
        if (sourced.status === "event" && sourced.source === "lookup") {
          await options.store(sourced.event.event_id, JSON.stringify(sourced.event), signal);
        }
        return sourced;
      }
    }
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** When an event was made: its id begins with unix ms. An id that does not is as old as its submission. */
function madeAt(eventId: string, receivedAt: number): number {
  const prefix = /^(\d{13})\./.exec(eventId)?.[1];
  return prefix === undefined ? receivedAt : Number(prefix);
}
