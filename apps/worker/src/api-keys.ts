import type { LookupOutcome, Lookups } from "@assay/fingerprint";
import type { KeyStanding } from "@assay/ledger";
import { isRecord } from "@assay/protocol";
import { BrokenCircuitError } from "cockatiel";
import { createCircuit } from "./circuit.ts";

/** An API key that is not refused. */
export interface ApiKeyStanding extends KeyStanding {
  /** Whether its lookups fail: at most one of them probes it. */
  readonly isFailing: boolean;
}

/** The API keys of one tenant: which may be used, and lookups by each. */
export interface ApiKeys {
  /** Every key that is not refused, in the configured order, and when it may be used. */
  standings(): readonly ApiKeyStanding[];
  /**
   * Looks an event up by a key. `paused` when the key was found failing or refused meanwhile: nothing was asked.
   * Rejects when `signal` aborts.
   */
  ask(keyId: string, eventId: string, signal: AbortSignal): Promise<LookupOutcome | { readonly status: "paused" }>;
}

/** How a key fares. */
export type KeyState = "working" | "failing" | "refused";

export interface ApiKeysOptions {
  /** One for each key. */
  readonly lookups: readonly Lookups[];
  readonly probeAfterMs: number;
  readonly refusedMs: number;
  /** Told at the start, where there is no state before, and once when a key's state changes. */
  onState(keyId: string, state: KeyState, before: KeyState | undefined): void;
  /** Unix ms. */
  readonly now: () => number;
}

// One answer that is none may be the event's own fault; a row of them is not.
const FAILURES_IN_A_ROW = 5;

/**
 * Each key has two circuits: five lookups in a row that fail, time out or are throttled open the one; one answer that
 * the key is refused opens the other. After its time one lookup probes, and an answer closes it.
 */
export function createApiKeys(options: ApiKeysOptions): ApiKeys {
  const keys = options.lookups.map((lookups) => createApiKey(lookups, options));
  return {
    standings: () => keys.flatMap((key) => key.standing() ?? []),
    async ask(keyId, eventId, signal) {
      const key = keys.find((one) => one.keyId === keyId);
      if (key === undefined) throw new TypeError("No API key has this fingerprint.");
      return key.ask(eventId, signal);
    },
  };
}

interface ApiKey {
  readonly keyId: string;
  /** Undefined while it is refused. */
  standing(): ApiKeyStanding | undefined;
  ask: (eventId: string, signal: AbortSignal) => ReturnType<ApiKeys["ask"]>;
}

function createApiKey(lookups: Lookups, options: ApiKeysOptions): ApiKey {
  const { keyId } = lookups;
  let state: KeyState = "working";
  const enter = (next: KeyState) => {
    if (next === state) return;
    options.onState(keyId, next, state);
    state = next;
  };
  const failing = createCircuit(isFailure, FAILURES_IN_A_ROW, options.probeAfterMs, options.now);
  const refused = createCircuit(isRefusal, 1, options.refusedMs, options.now);
  const settle = () => enter(refused.isOpen() ? "refused" : failing.isOpen() ? "failing" : "working");
  options.onState(keyId, state, undefined);
  return {
    keyId,
    standing() {
      if (refused.restsForMs() > 0) return undefined;
      return { keyId, restsForMs: failing.restsForMs(), isFailing: failing.isOpen() };
    },
    async ask(eventId, signal) {
      try {
        return await refused.policy.execute(() => failing.policy.execute(() => lookups.lookup(eventId, { signal })));
      } catch (error) {
        if (error instanceof BrokenCircuitError) return { status: "paused" };
        throw error;
      } finally {
        settle();
      }
    },
  };
}

function isFailure(outcome: unknown): boolean {
  return isRecord(outcome) && (outcome["status"] === "unavailable" || outcome["status"] === "throttled");
}

function isRefusal(outcome: unknown): boolean {
  return isRecord(outcome) && outcome["status"] === "refused" && outcome["setting"] === "key";
}
