import type { RefusedSetting } from "@assay/fingerprint";
import type { Inquirer, Inquiry, KeyStanding, Turn, Work } from "@assay/ledger";
import type { UndecidedCode } from "@assay/protocol";
import type { ApiKeys, ApiKeyStanding } from "./api-keys.ts";
import type { LookupTiming } from "./lookup-timing.ts";
import type { WorkerMetrics } from "./metrics.ts";
import type { ReadEvent } from "./read-event.ts";
import type { Sightings } from "./sightings.ts";
import type { Sourced, Wait } from "./sourced.ts";

/** What lookups ask of Redis. Each waits for Redis to answer, and throws LetGo when the signal aborts. */
export interface LookupLedger {
  readStored(eventId: string, signal: AbortSignal): Promise<string | undefined>;
  inquire(inquirer: Inquirer & { readonly isAwaited: boolean }, signal: AbortSignal): Promise<Inquiry>;
  /** Takes a lookup from a key's bucket, or a place in the line, if that is of use within the time. */
  takeTurn(
    work: Work,
    times: { readonly withinMs: number; readonly waitedMs: number },
    apiKeys: readonly KeyStanding[],
    signal: AbortSignal,
  ): Promise<Turn>;
  leaveLine(id: string, signal: AbortSignal): Promise<void>;
  holdBucket(keyId: string, ms: number, signal: AbortSignal): Promise<void>;
  /** Whether nobody else has taken the question over; nobody does while it is at the vendor. */
  startAsking(inquirer: Inquirer, signal: AbortSignal): Promise<boolean>;
  /** Ends the try before the vendor is asked, and begins it again: who dies of waiting is no suspect. */
  pauseTry(work: Work, signal: AbortSignal): Promise<void>;
  /** Throws LetGo when somebody else has the submission by now. */
  resumeTry(work: Work, signal: AbortSignal): Promise<void>;
  /** Remembers that the vendor does not know the event, and tells those that wait if nobody is to ask again. */
  noteNotFound(work: Work, isFinal: boolean, signal: AbortSignal): Promise<{ readonly isFinal: boolean }>;
  /** Whether a webhook may bring an event. */
  takesWebhooks(signal: AbortSignal): Promise<boolean>;
  /** Lets another ask for the event. */
  stopAsking(inquirer: Inquirer, signal: AbortSignal): Promise<void>;
}

export interface LookUpOptions {
  readonly ledger: LookupLedger;
  /** Absent when no vendor API key is configured: an event can only be brought then. */
  readonly apiKeys?: ApiKeys;
  readonly readEvent: ReadEvent;
  readonly timing: LookupTiming;
  /** Told of every lookup that the vendor refuses for the ruleset: somebody must mend the setting. */
  onRefused(setting: RefusedSetting): void;
  readonly metrics: Pick<WorkerMetrics, "lookupDuration" | "lookupRequests">;
  readonly sightings: Pick<Sightings, "lookedUp">;
  /** Unix ms. */
  readonly now: () => number;
}

/** One lookup on its way. Times are by the worker's own clock. */
interface Asking extends Inquirer {
  readonly work: Work;
  /** Unix ms. */
  readonly receivedAt: number;
  /** Unix ms. */
  readonly decideBy: number;
  readonly signal: AbortSignal;
}

export type LookUp = (work: Work, signal: AbortSignal) => Promise<Sourced>;

// A timer may fire a little early.
const EARLY_MS = 10;
const BEHIND_ASKER_MS = 50;

/**
 * Finds an event by its id: as it was brought, or by asking the vendor once for all that want it. What must wait sleeps,
 * and is rung for when its event comes; by `decideWithinMs` after it was received it is decided.
 */
export function createLookUp(options: LookUpOptions): LookUp {
  const { ledger, apiKeys, timing, metrics, now } = options;

  async function lookUp(work: Work, signal: AbortSignal): Promise<Sourced> {
    const { id, isAwaited = false } = work;
    const eventId = work.meta.event_id ?? "";
    // Redis says when it was received, and its clock may not be ours.
    const receivedAt = work.receivedAt + (work.loadedAt === undefined ? 0 : now() - work.loadedAt);
    const asking: Asking = { work, id, eventId, receivedAt, decideBy: receivedAt + timing.decideWithinMs, signal };
    if (apiKeys === undefined) return untilBrought(asking);
    const inquiry = await ledger.inquire({ eventId, id, isAwaited }, signal);
    switch (inquiry.status) {
      case "stored":
        await ledger.leaveLine(id, signal);
        return stored(asking, inquiry.json);
      case "not_found":
        await ledger.leaveLine(id, signal);
        return { status: "undecided", code: "event_not_found" };
      case "asked": {
        await ledger.leaveLine(id, signal);
        if (isOver(asking)) return { status: "undecided", code: codeOf(asking, apiKeys) };
        const until = now() + inquiry.withinMs + BEHIND_ASKER_MS;
        return { ...sleep(asking, "asked_already", until), event: { id: eventId, follows: true } };
      }
      case "ask":
        return isOver(asking) ? giveUp(asking, codeOf(asking, apiKeys)) : ask(asking, apiKeys);
    }
  }

  /** Without a key: the webhook brings the event, or nobody does. */
  async function untilBrought(asking: Asking): Promise<Sourced> {
    const json = await ledger.readStored(asking.eventId, asking.signal);
    if (json !== undefined) return stored(asking, json);
    if (isOver(asking)) return { status: "undecided", code: "event_not_received" };
    return sleep(asking, "event_not_received", asking.decideBy);
  }

  async function ask(asking: Asking, keys: ApiKeys): Promise<Sourced> {
    const { work, receivedAt, decideBy, signal } = asking;
    // Each round uses up a key or a turn of a key, so it ends.
    for (;;) {
      const standings = keys.standings();
      if (standings.length === 0) return refused(asking);
      const isFailing = areFailing(standings);
      const times = { withinMs: decideBy - now(), waitedMs: Math.max(0, now() - receivedAt) };
      const turn = await ledger.takeTurn(work, times, standings, signal);
      switch (turn.status) {
        case "wait":
          return sleep(asking, isFailing ? "vendor_unavailable" : "lookup_rate", now() + turn.forMs);
        case "too_late":
          // A webhook may still bring what a failing vendor does not tell; a full line is no reason to wait.
          return isFailing ? sleep(asking, "vendor_unavailable", decideBy) : giveUp(asking, "lookup_saturated");
        case "turn": {
          if (!(await ledger.startAsking(asking, signal)))
            return sleep(asking, "asked_already", now() + BEHIND_ASKER_MS);
          const sourced = await askBy(turn.keyId, asking, keys);
          if (sourced !== undefined) return sourced;
        }
      }
    }
  }

  /** What the vendor says; undefined when this key is of no use now. */
  async function askBy(keyId: string, asking: Asking, keys: ApiKeys): Promise<Sourced | undefined> {
    const { work, eventId, receivedAt, decideBy, signal } = asking;
    await ledger.pauseTry(work, signal);
    const askedAt = work.receivedAt + (now() - receivedAt);
    const timer = metrics.lookupDuration.startTimer();
    const outcome = await keys.ask(keyId, eventId, signal);
    await ledger.resumeTry(work, signal);
    if (outcome.status === "paused") return undefined;
    timer();
    metrics.lookupRequests.inc({ status: outcome.status });
    options.sightings.lookedUp(outcome.status);
    switch (outcome.status) {
      case "event": {
        const sourced = options.readEvent(outcome.json, "lookup");
        // What is no event is the vendor's fault, and not the submission's.
        return sourced.status === "event" ? { ...sourced, decideBy } : laterOrUnavailable(asking);
      }
      case "not_found": {
        const isYoung = askedAt - madeAt(eventId, work.receivedAt) < timing.youngMs;
        const until = now() + timing.notFoundDelayMs;
        const { isFinal } = await ledger.noteNotFound(work, !isYoung || until > decideBy, signal);
        if (isFinal) return unlessBrought(asking, "event_not_found");
        return { ...sleep(asking, "event_not_found", until), spendsRetry: true };
      }
      case "throttled":
        await ledger.holdBucket(keyId, timing.throttledMs, signal);
        return undefined;
      case "refused":
        if (outcome.setting === "key") return undefined;
        options.onRefused(outcome.setting);
        return giveUp(asking, "lookup_refused");
      case "unavailable":
        return laterOrUnavailable(asking);
    }
  }

  async function laterOrUnavailable(asking: Asking): Promise<Sourced> {
    const { work, decideBy } = asking;
    const until = now() + timing.retryDelayMs * 2 ** Math.min(work.retries, 3);
    if (until > decideBy) return giveUp(asking, "lookup_unavailable");
    return { ...sleep(asking, "vendor_unavailable", until), spendsRetry: true };
  }

  /** Every key is refused: only a webhook can bring the event. */
  async function refused(asking: Asking): Promise<Sourced> {
    if (!(await ledger.takesWebhooks(asking.signal))) return giveUp(asking, "lookup_refused");
    await ledger.leaveLine(asking.id, asking.signal);
    return sleep(asking, "lookup_refused", asking.decideBy);
  }

  async function giveUp(asking: Asking, code: UndecidedCode): Promise<Sourced> {
    await ledger.leaveLine(asking.id, asking.signal);
    await ledger.stopAsking(asking, asking.signal);
    return unlessBrought(asking, code);
  }

  /** A webhook may have come while the vendor was asked: then what the vendor said is no matter. */
  async function unlessBrought(asking: Asking, code: UndecidedCode): Promise<Sourced> {
    const json = await ledger.readStored(asking.eventId, asking.signal);
    return json === undefined ? { status: "undecided", code } : stored(asking, json);
  }

  function stored({ decideBy }: Asking, json: string): Sourced {
    return byTime(options.readEvent(JSON.parse(json), "stored"), decideBy);
  }

  function sleep({ eventId, decideBy }: Asking, why: string, until: number): Wait {
    const event = { id: eventId, follows: false };
    return { status: "wait", why, until: Math.min(until, decideBy), spendsRetry: false, event };
  }

  function isOver({ decideBy }: Asking): boolean {
    return now() >= decideBy - EARLY_MS;
  }

  /** Why there is no event by the time that the decision is due. */
  function codeOf({ work }: Asking, keys: ApiKeys): UndecidedCode {
    const standings = keys.standings();
    if (standings.length === 0) return "lookup_refused";
    return areFailing(standings) || work.retries > 0 ? "lookup_unavailable" : "lookup_saturated";
  }

  return lookUp;
}

function areFailing(standings: readonly ApiKeyStanding[]): boolean {
  return standings.every(({ isFailing }) => isFailing);
}

function byTime(sourced: ReturnType<ReadEvent>, decideBy: number): Sourced {
  return sourced.status === "event" ? { ...sourced, decideBy } : sourced;
}

/** When an event was made: its id begins with unix ms. An id that does not is as old as its submission. */
function madeAt(eventId: string, receivedAt: number): number {
  const prefix = /^(\d{13})\./.exec(eventId)?.[1];
  return prefix === undefined ? receivedAt : Number(prefix);
}
