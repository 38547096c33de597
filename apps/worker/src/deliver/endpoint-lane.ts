import type { Logger, RateLimitedLog } from "@assay/host";
import { keepDeliveries, type LeasedDelivery, settleDelivery, type Settlement, takeDeliveries } from "@assay/ledger";
import { isRecord, type Keys } from "@assay/protocol";
import { BrokenCircuitError } from "cockatiel";
import type { Redis } from "ioredis";
import { type Circuit, createCircuit } from "../circuit.ts";
import type { Patience } from "../patience.ts";
import type { WorkerMetrics } from "../metrics.ts";
import type { DeliveryTiming } from "./delivery-timing.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Attempt, WebhookPost } from "./post-webhook.ts";
import { nextPauseMs } from "./retry-schedule.ts";

/** Takes what is due for one endpoint and sends it. Each has its own, so that a dead one delays nobody else. */
export interface EndpointLane {
  readonly endpoint: Endpoint;
  start(): void;
  /** Something was planned: look at once. */
  wake(): void;
  /** Takes no more, and resolves when what is in flight has landed. Safe to call twice. */
  stop(): Promise<void>;
}

export interface EndpointLaneOptions {
  readonly endpoint: Endpoint;
  readonly post: WebhookPost;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly metrics: WorkerMetrics;
  readonly logger: Logger;
  readonly log: RateLimitedLog;
  readonly patience: Patience;
  readonly timing: DeliveryTiming;
  /** Unix ms. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Over all processes. */
export const MAX_IN_FLIGHT = 4;

export function createEndpointLane(options: EndpointLaneOptions): EndpointLane {
  const { endpoint, redis, keys, timing, metrics } = options;
  const { name } = endpoint;
  const stopped = new AbortController();
  const flights = new Set<Promise<void>>();
  // Until when what is in flight is this process's.
  const leases = new Map<string, number>();
  let keeping: Promise<void> = Promise.resolve();
  let keptAt = 0;
  const circuit = createCircuit(isDown, timing.failuresInARow, timing.probeAfterMs, options.now);
  let nap = new AbortController();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      const pauseMs = await takeOff().catch((error: unknown) => {
        options.log.warn({ err: error, endpoint: name }, "deliveries could not be taken; it is tried again");
        return timing.pollMs;
      });
      await options.delay(pauseMs, nap.signal);
      if (!stopped.signal.aborted) nap = new AbortController();
    }
    const landed = new AbortController();
    void Promise.all(flights).finally(() => landed.abort());
    while (!landed.signal.aborted) {
      await keepLeases();
      await options.delay(timing.pollMs, landed.signal);
    }
  }

  /** Says that what is in flight still is. A lease that went to another is not taken back. */
  function keepLeases(): Promise<void> {
    if (leases.size === 0 || options.now() - keptAt < timing.pollMs / 2) return keeping;
    keptAt = options.now();
    // When Redis is away, it is so for everybody: the next look may still be in time.
    keeping = lengthen([...leases]).catch(() => undefined);
    return keeping;
  }

  async function lengthen(held: readonly (readonly [id: string, leaseUntil: number])[]): Promise<void> {
    const wanted = held.map(([id, leaseUntil]) => ({ id, leaseUntil }));
    const kept = await keepDeliveries(redis, keys, name, wanted, timing.leaseMs);
    for (const [id, until] of kept) if (leases.has(id)) leases.set(id, until);
  }

  /** Takes what may fly now. Resolves with how long there is nothing to do, unless something lands. */
  async function takeOff(): Promise<number> {
    await keepLeases();
    const restsForMs = circuit.restsForMs();
    // The endpoint's standing is looked at even while nothing may be sent.
    const most = restsForMs > 0 ? 0 : circuit.isOpen() ? 1 : MAX_IN_FLIGHT;
    const { standing, deliveries } = await takeDeliveries(redis, keys, {
      endpoint: name,
      count: Math.max(0, most - flights.size),
      maxInFlight: MAX_IN_FLIGHT,
      leaseMs: timing.leaseMs,
      resumedAt: endpoint.resumedAt,
    });
    metrics.deliveriesPending.set({ endpoint: name }, standing.undelivered);
    metrics.deliveriesOldest.set({ endpoint: name }, standing.oldestAgeMs / 1000);
    metrics.endpointPaused.set({ endpoint: name }, standing.paused === undefined ? 0 : 1);
    if (standing.expired > 0) {
      metrics.deliveries.inc({ outcome: "expired" }, standing.expired);
      options.logger.error(
        { endpoint: name, count: standing.expired },
        "deliveries were held for a week and are given up",
      );
    }
    for (const delivery of deliveries) {
      const isFlying = leases.has(delivery.id);
      leases.set(delivery.id, delivery.leaseUntil);
      // Its lease ended while Redis was away, and nobody else took it.
      if (!isFlying) track(delivery.id, fly(delivery));
    }
    return restsForMs > 0 ? Math.min(restsForMs, timing.pollMs) : timing.pollMs;
  }

  function track(id: string, flight: Promise<void>): void {
    const landed = flight
      .catch((error: unknown) => {
        // Its lease ends, and it is taken again.
        options.log.warn({ err: error, endpoint: name }, "what became of a delivery could not be noted");
      })
      .finally(() => {
        flights.delete(landed);
        leases.delete(id);
        nap.abort();
      });
    flights.add(landed);
  }

  async function fly(delivery: LeasedDelivery): Promise<void> {
    const attempt = await attemptOf(circuit, () => options.post.send(delivery));
    const settlement = settlementOf(attempt, delivery);
    const { id } = delivery;
    const note = async () => {
      // A lease that is being lengthened at this moment would not be known by its old end.
      await keeping;
      const leaseUntil = leases.get(id) ?? delivery.leaseUntil;
      return await settleDelivery(redis, keys, name, { id, leaseUntil }, settlement, timing.pauseAfterMs);
    };
    // While it stops, what has landed is still noted, but nobody waits for Redis.
    const settled = await (stopped.signal.aborted ? note() : options.patience(note, stopped.signal));
    if (settled === "late" || settlement.outcome === "put_back") return;
    metrics.deliveries.inc({ outcome: settlement.outcome });
    tell(delivery, attempt, settlement);
    if (settled !== "paused") return;
    const why = settlement.outcome === "gone" ? "it answered that it is gone" : "it has failed for too long";
    options.logger.error({ endpoint: name, why }, "the endpoint is on hold: deliveries wait until it is resumed");
  }

  function settlementOf(attempt: Attempt | "unsent", delivery: LeasedDelivery): Settlement {
    if (attempt === "unsent") return { outcome: "put_back", retryInMs: circuit.restsForMs() };
    if (attempt.status !== "failed") return { outcome: attempt.status };
    const now = options.now();
    const { askedMs } = attempt;
    const retryInMs = nextPauseMs({
      failures: delivery.failures + 1,
      ageMs: now - delivery.plannedAt,
      random: options.random(),
      ...(askedMs === undefined ? {} : { askedMs }),
    });
    if (retryInMs === undefined) return { outcome: "dead", reason: attempt.reason, at: now };
    return { outcome: "failed", retryInMs, restMs: askedMs === undefined ? 0 : Math.min(askedMs, retryInMs) };
  }

  function tell({ id, failures }: LeasedDelivery, attempt: Attempt | "unsent", { outcome }: Settlement): void {
    if (attempt === "unsent") return;
    const about = { endpoint: name, delivery: id, tries: failures + 1 };
    if (attempt.status !== "failed") return options.logger.debug(about, `webhook ${attempt.status}`);
    const { reason, code } = attempt;
    const message = outcome === "dead" ? "a delivery failed for the last time" : "a delivery failed";
    options.log.warn({ ...about, reason, ...(code === undefined ? {} : { status: code }) }, message);
  }

  return {
    endpoint,
    start() {
      running ??= run();
    },
    wake: () => nap.abort(),
    async stop() {
      stopped.abort();
      nap.abort();
      await running;
      options.post.stop();
    },
  };
}

// Between two looks at the circuit it may have opened.
async function attemptOf(circuit: Circuit, send: () => Promise<Attempt>): Promise<Attempt | "unsent"> {
  try {
    return await circuit.policy.execute(send);
  } catch (error) {
    if (error instanceof BrokenCircuitError) return "unsent";
    throw error;
  }
}

/** Whether the endpoint does not work. One that refuses a body, or is gone, does. */
function isDown(attempt: unknown): boolean {
  return isRecord(attempt) && attempt["status"] === "failed" && attempt["reason"] !== "client_error";
}
