import { randomBytes, randomUUID } from "node:crypto";
import {
  type Arrival,
  connectForCommands,
  connectForWork,
  disconnect,
  loadSubmissions,
  type Publication,
  publishVerdicts,
  whenReady,
  type Work,
} from "@assay/ledger";
import {
  type Action,
  createKeys,
  DEFAULT_TENANT,
  type Keys,
  laneOf,
  LANES,
  type Lane,
  queueName,
  queuePrefix,
  submissionId,
  type Verdict,
} from "@assay/protocol";
import { type Job, Queue } from "bullmq";
import type { Redis } from "ioredis";

/** An Assay of one test: a prefix of its own, and a hand that decides in the worker's place. */
export interface Installation {
  readonly url: string;
  readonly prefix: string;
  readonly keys: Keys;
  readonly redis: Redis;
  readonly connect: () => Redis;
  /** Publishes a verdict on every accepted submission; returns their ids. */
  decideAll(action?: Action): Promise<string[]>;
  /** Waiting doorbells of a lane. */
  jobs(lane: Lane): Promise<Job[]>;
  close(): Promise<void>;
}

/** Opens an installation that nobody else uses; or one tenant's part of one that is open, on its prefix. */
export async function openInstallation(
  url: string,
  { prefix = `t${randomBytes(6).toString("hex")}`, tenant = DEFAULT_TENANT } = {},
): Promise<Installation> {
  const keys = createKeys({ prefix, tenant });
  const redis = connectForCommands({ url });
  redis.on("error", () => undefined);
  await whenReady(redis);
  const queues = new Map<Lane, Queue>();
  return {
    url,
    prefix,
    keys,
    redis,
    connect: () => connectForWork({ url }),
    async decideAll(action = "allow") {
      const pending = await Promise.all(LANES.map((lane) => redis.zrange(keys.pending(lane), 0, "-1")));
      const ids = pending.flat();
      if (ids.length > 0) await decide(redis, keys, prefix, ids, action);
      return ids;
    },
    async jobs(lane) {
      const queue =
        queues.get(lane) ?? new Queue(queueName(lane, tenant), { connection: redis, prefix: queuePrefix(prefix) });
      queues.set(lane, queue);
      return queue.getJobs(["wait", "prioritized"]);
    },
    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      await disconnect(redis);
    },
  };
}

/** An arrival with an event id, under an Idempotency-Key. */
export function lookupArrival(idempotencyKey: string = randomUUID(), eventId = "event-1"): Arrival {
  return { id: submissionId("0", "default", idempotencyKey), submission: { kind: "lookup", event_id: eventId } };
}

/** An arrival with a sealed result, under an Idempotency-Key. */
export function sealedArrival(idempotencyKey: string = randomUUID(), bytes = 16): Arrival {
  return {
    id: submissionId("0", "default", idempotencyKey),
    submission: { kind: "sealed", payload: new Uint8Array(bytes).fill(7) },
  };
}

async function decide(redis: Redis, keys: Keys, prefix: string, ids: readonly string[], action: Action): Promise<void> {
  const loaded = await loadSubmissions(redis, keys, ids, { token: randomUUID(), alone: true });
  const publications = loaded.flatMap((found) => (found.state === "ready" ? [publication(found.work, action)] : []));
  await publishVerdicts(redis, keys, publications, {
    prefix,
    verdictTtlMs: 60_000,
    recordTtlMs: 60_000,
    hashKey: "installation-key",
  });
}

function publication({ id, meta, receivedAt }: Work, action: Action): Publication {
  const { flow, user_id, reference } = meta.context ?? {};
  const verdict: Verdict = {
    schema: "assay.verdict/1",
    id,
    kind: meta.kind,
    action,
    score: 0,
    reasons: [],
    shadow: [],
    unknown: [],
    checks: {},
    coverage: { rules: 0, judged: 0 },
    ruleset: { name: "default", digest: "d", engine: "e" },
    received_at: receivedAt,
    decided_at: Date.now(),
    ...(meta.event_id === undefined ? {} : { event_id: meta.event_id }),
    context: {
      ...(flow === undefined ? {} : { flow }),
      ...(user_id === undefined ? {} : { user_id }),
      ...(reference === undefined ? {} : { reference }),
    },
  };
  return { id, lane: laneOf(meta.kind), verdict, digest: action, pinned: "", deadLetter: false };
}
