import { type Gravestone, gravestonesOf, erasedEvents, tracesOfEvent } from "@assay/ledger";
import { type Event, ProblemError } from "@assay/protocol";
import { memoryShed, REDIS_ANSWER_MS } from "./accept-arrival.ts";
import type { TenantDeps } from "./route.ts";
import { within } from "./within.ts";

/**
 * Keeps the event of a webhook that gets no verdict, and wakes whoever waits for it. Returns whether it is new. Throws a
 * ProblemError with the webhook's id: `memory_shed`, or `unavailable`, after which it is not known whether it is kept.
 */
export async function bringEvent(deps: TenantDeps, id: string, event: Event): Promise<boolean> {
  const startedAt = performance.now();
  const count = (outcome: "accepted" | "duplicate" | "shed" | "unconfirmed") =>
    deps.metrics.submission("webhook", outcome, (performance.now() - startedAt) / 1000);
  if (!deps.admission.admits("background")) {
    deps.metrics.shed("background", "memory");
    count("shed");
    throw memoryShed();
  }
  try {
    const bringing = deps.producer.bring(event.event_id, JSON.stringify(event), stonesOf(deps, event));
    const isKnown = await within(bringing, REDIS_ANSWER_MS, () => new Error("Command timed out"));
    count(isKnown ? "duplicate" : "accepted");
    return !isKnown;
  } catch (cause) {
    count("unconfirmed");
    throw new ProblemError("unavailable", "It is not known whether the event was kept: send the webhook again.", {
      id,
      cause,
    });
  }
}

/**
 * Wakes whoever waits for a webhook's event before its own verdict is made: a backlog of webhooks is not theirs. Throws
 * nothing, as the worker that decides the webhook does the same.
 */
export async function bringAhead(deps: TenantDeps, event: Event): Promise<void> {
  const stones = stonesOf(deps, event);
  await deps.producer.bringIfAwaited(event.event_id, JSON.stringify(event), stones).catch(() => undefined);
}

/**
 * Whether a webhook's event was erased, or whoever made it since: then nothing of it is kept. Throws a ProblemError
 * `unavailable` with the webhook's id when Redis does not answer.
 */
export async function isDropped(deps: TenantDeps, id: string, event: Event): Promise<boolean> {
  const { redis, keys, hashKey } = deps.outcomes;
  try {
    const reading = erasedEvents(redis, keys, hashKey, [event]);
    const erased = await within(reading, REDIS_ANSWER_MS, () => new Error("Command timed out"));
    const isGone = erased.has(event.event_id);
    if (isGone) deps.metrics.submission("webhook", "erased", 0);
    return isGone;
  } catch (cause) {
    deps.metrics.submission("webhook", "unconfirmed", 0);
    throw new ProblemError("unavailable", "It is not known whether the event was kept: send the webhook again.", {
      id,
      cause,
    });
  }
}

function stonesOf({ outcomes }: TenantDeps, event: Event): Gravestone[] {
  return gravestonesOf(outcomes.hashKey, tracesOfEvent(event));
}
