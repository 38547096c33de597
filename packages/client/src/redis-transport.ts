import { randomBytes } from "node:crypto";
import {
  type Arrival,
  connectForCommands,
  connectForReads,
  connectForWork,
  isPassing,
  openInstallation,
  readVerdict,
  whenReady,
} from "@assay/ledger";
import {
  checkObservedAt,
  checkTestEvent,
  createKeys,
  DEFAULT_PREFIX,
  DEFAULT_TENANT,
  outcomeId,
  ProblemError,
  readOutcome,
  readSubmission,
  type SubmissionInput,
  submissionId,
  type Verdict,
} from "@assay/protocol";
import { expired, testsTellNothing, unavailable } from "./errors.ts";
import { createProducer, type Producer } from "./producer.ts";
import type { RedisOptions } from "./redis-options.ts";
import { takeRedisPlace } from "./redis-place.ts";
import { tailRedis } from "./redis-tail.ts";
import { report } from "./report.ts";
import type { Receipt, Transport } from "./transport.ts";
import { readVerdictJson } from "./verdict-json.ts";
import { openVerdictSources } from "./verdict-sources.ts";
import { createVerdictWaiter, type Decided } from "./verdict-waiter.ts";
import { type Budget, withinBudget } from "./within-budget.ts";

export interface RedisTransportOptions extends Omit<RedisOptions, "connection"> {
  readonly url: string;
}

interface Opened {
  readonly producer: Producer;
  readonly hashKey: string;
}

/** Does in this process what an ingress does, on connections of its own. */
export function createRedisTransport(options: RedisTransportOptions): Transport {
  const { url, tenant = DEFAULT_TENANT, keyName = "default", prefix = DEFAULT_PREFIX, test = false } = options;
  const keys = createKeys({ prefix, tenant });
  const redis = connectForCommands({ url, name: "assay-client" });
  const connect = () => connectForWork({ url, name: "assay-client" });
  const waiter = createVerdictWaiter({ redis, connect, keys, prefix });
  const stream = { redis, connect: () => connectForReads({ url, name: "assay-client" }), keys };
  const sources = openVerdictSources(
    (wanted) => takeRedisPlace(stream, wanted),
    (wanted, signal) => tailRedis(stream, wanted, signal),
  );
  const closing = new AbortController();
  const promised = options.durability === undefined ? {} : { durability: options.durability };
  // Each call learns of it by its own failure.
  redis.on("error", () => undefined);
  let opened: Promise<Opened> | undefined;

  function open(): Promise<Opened> {
    opened ??= openAll().catch((error: unknown) => {
      opened = undefined;
      throw closing.signal.aborted ? unavailable(error) : error;
    });
    return opened;
  }

  async function openAll(): Promise<Opened> {
    await whenReady(redis, closing.signal);
    const { hashKey } = await orUnavailable(openInstallation(redis, prefix, randomBytes(32).toString("hex")));
    return { hashKey, producer: await createProducer({ redis, prefix, tenant, signal: closing.signal }) };
  }

  function readArrival(input: SubmissionInput, idempotencyKey: string): Arrival {
    const { submission } = readSubmission(input);
    checkTestEvent(submission, { isTestKey: test });
    const receivedAt = Date.now();
    checkObservedAt(submission.context, receivedAt);
    return { id: submissionId(tenant, keyName, idempotencyKey), submission, receivedAt };
  }

  async function accept(arrival: Arrival, budget: Budget, awaited: boolean): Promise<Receipt> {
    try {
      return await withinBudget(async () => {
        const { producer } = await open();
        const { id, status } = await producer.submit(arrival, { awaited });
        // The producer throws a conflict.
        if (status === "conflict") throw new TypeError("A conflict is no receipt.");
        return { id, status, ...promised };
      }, budget);
    } catch (error) {
      if (!(error instanceof ProblemError) || !error.retryable) throw error;
      throw error.id === undefined ? unavailable(error.cause ?? error, arrival.id) : error;
    }
  }

  return {
    submit: async (input, idempotencyKey, budget) => accept(readArrival(input, idempotencyKey), budget, false),
    async submitAndWait(input, idempotencyKey, budget) {
      const arrival = readArrival(input, idempotencyKey);
      const { id } = arrival;
      const ended = new AbortController();
      budget.signal?.addEventListener("abort", () => ended.abort(budget.signal?.reason), { signal: ended.signal });
      // Before it is accepted, so that no announcement is missed.
      const waiting = waiter.waitFor(id, { timeoutMs: budget.timeoutMs, signal: ended.signal });
      waiting.catch(() => undefined);
      try {
        await accept(arrival, budget, true);
        const decided = await waiting;
        return decided === undefined ? { id } : { id, verdict: verdictOf(id, decided) };
      } finally {
        ended.abort();
      }
    },
    async report(input, idempotencyKey, budget) {
      if (test) throw testsTellNothing();
      const outcome = readOutcome(input);
      const id = outcomeId(tenant, keyName, idempotencyKey);
      const receipt = await withinBudget(async () => {
        const { hashKey } = await open();
        return report({ redis, keys, hashKey }, id, outcome);
      }, budget);
      return { ...receipt, ...promised };
    },
    async waitForVerdict(id, budget) {
      const decided = await waiter.waitFor(id, budget);
      return decided === undefined ? undefined : verdictOf(id, decided);
    },
    async getVerdict(id, budget) {
      const state = await withinBudget(async () => {
        await open();
        return orUnavailable(readVerdict(redis, keys, id));
      }, budget);
      if (state.status === "unknown") return undefined;
      return state.status === "pending" ? "pending" : verdictOf(id, state);
    },
    consume: sources.consume,
    subscribe: sources.subscribe,
    tail: sources.tail,
    async close() {
      closing.abort(new Error("The client is closed."));
      await sources.stop();
      await waiter.stop();
      const used = await opened?.catch(() => undefined);
      await used?.producer.stop();
      // Without a QUIT, which would wait for a Redis that hangs: nothing is on its way any more.
      redis.disconnect();
    },
  };
}

function verdictOf(id: string, decided: Decided): Verdict {
  if (decided.status === "expired") throw expired(id);
  return readVerdictJson(decided.json);
}

async function orUnavailable<Result>(asking: Promise<Result>): Promise<Result> {
  try {
    return await asking;
  } catch (error) {
    throw error instanceof Error && isPassing(error) ? unavailable(error) : error;
  }
}
