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
    const bringing = deps.producer.bring(event.event_id, JSON.stringify(event));
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
export async function bringAhead({ producer }: TenantDeps, event: Event): Promise<void> {
  await producer.bringIfAwaited(event.event_id, JSON.stringify(event)).catch(() => undefined);
}
