import { type CounterRequest, keyedHash, type PinRequest, type Use, type Work } from "@assay/ledger";
import { type Checks, type Context, type Event, parseAddress, redriveOf } from "@assay/protocol";
import type { CounterUse, Ruleset } from "@assay/rules";
import { isBound, isPresented, isRelayed, type View } from "@assay/rules/verdict";

const HOUR_MS = 3_600_000;

/**
 * What a submission asks of shared memory: the claim on its event where somebody presented it, by the ruleset that
 * decides, and `asked`. Undefined when it asks nothing. `hashKey` is the installation's own.
 */
export function pinRequestOf(submission: {
  work: Work;
  event: Event;
  live: View;
  asked: readonly CounterUse[];
  hashKey: string;
}): PinRequest | undefined {
  const { work, event, live, asked, hashKey } = submission;
  const { kind, context = {} } = work.meta;
  // What is judged once more, or long after, has been counted or is no news, and nobody presents it.
  const isRedriven = redriveOf(work.id) !== undefined;
  const use = isPresented(kind) && !isRedriven ? useOf(event, context, live, hashKey) : undefined;
  if (use === undefined && asked.length === 0) return undefined;
  const adds = kind !== "backfill" && !isRedriven;
  return {
    id: work.id,
    receivedAt: work.receivedAt,
    eventTime: event.timestamp,
    // What counted then, and not what counts now: days may lie between.
    ...(kind === "backfill" ? { asOf: Math.min(event.timestamp, work.receivedAt) } : {}),
    counters: asked.map((counter) => requestOf(counter, { id: work.id, eventId: event.event_id, adds, hashKey })),
    ...(use === undefined ? {} : { use }),
  };
}

function requestOf(
  { definition, windowMs, key, distinct, isDistinct, counts }: CounterUse,
  { id, eventId, adds, hashKey }: { id: string; eventId: string; adds: boolean; hashKey: string },
): CounterRequest {
  const read = { key: keyedHash(hashKey, definition, key), definition, windowMs };
  const told = distinct === undefined ? undefined : keyedHash(hashKey, `${definition}:distinct`, distinct);
  switch (counts.on) {
    case "submission": {
      const member = isDistinct ? told : eventId;
      return adds && counts.now && member !== undefined ? { ...read, member } : read;
    }
    case "outcome": {
      const member = isDistinct ? told : id;
      if (!adds || member === undefined || counts.pairs.length === 0) return read;
      return { ...read, plan: { ...read, member, names: counts.names, pairs: counts.pairs } };
    }
  }
}

function useOf(event: Event, context: Context, live: { ruleset: Ruleset; checks: Checks }, hashKey: string): Use {
  const { settings, largestMaxEventAgeMs } = live.ruleset;
  const hash = (kind: string, value: string | undefined) =>
    value === undefined ? "" : keyedHash(hashKey, kind, value);
  const ip = isRelayed(event) ? undefined : context.ip;
  const network = ip === undefined ? undefined : (parseAddress(ip)?.network ?? ip);
  return {
    eventId: event.event_id,
    flow: settings.eventUse === "once" ? "*" : (context.flow ?? "-"),
    bound: isBound(live.checks),
    ipHash: hash("ip", network),
    userAgentHash: hash("ua", context.user_agent),
    userIdHash: hash("user", context.user_id),
    // Long after the event has become stale everywhere: a replay later than that is told by its age.
    ttlMs: Math.max(HOUR_MS, 10 * largestMaxEventAgeMs),
  };
}
