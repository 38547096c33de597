import { randomUUID } from "node:crypto";
import { acceptSubmissions, connectForCommands, disconnect, whenReady } from "@assay/ledger";
import { createKeys, type JobData, queuePrefix } from "@assay/protocol";
import { Queue } from "bullmq";
import { startApp } from "../support/app-process.ts";
import type { Contender } from "./contender.ts";
import type { Ground } from "./ground.ts";

/**
 * Assay's worker as it is built and with its defaults, and in front of it what its producer does, but with a fixed
 * number of ids per doorbell: the producer itself gathers as many as there happen to be.
 */
export async function openAssay(ground: Ground, idsPerJob: readonly number[]): Promise<Contender[]> {
  const prefix = "bench";
  const keys = createKeys({ prefix });
  const worker = startApp("apps/worker/dist/main.js", {
    REDIS_URL: ground.redisUrl,
    ASSAY_PREFIX: prefix,
    ASSAY_SEALED_KEYS: ground.sealedKey,
    ASSAY_DURABILITY: ground.durability,
    ASSAY_ADMIN_PORT: "0",
    // The peer logs nothing either, and this process would have to read it.
    LOG_VERDICTS: "none",
  });
  ground.closing(() => worker.stop());
  await worker.line(({ msg }) => msg === "deciding");

  const redis = connectForCommands({ url: ground.redisUrl });
  ground.closing(() => disconnect(redis));
  await whenReady(redis);
  const queue = new Queue<JobData>("results", {
    connection: redis,
    prefix: queuePrefix(prefix),
    streams: { events: { maxLen: 1000 } },
    defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: { count: 1000 } },
  });
  ground.closing(() => queue.close());

  return idsPerJob.map((together) => ({
    name: `Assay, ${together} per job`,
    worker,
    redis,
    queue,
    stream: keys.verdicts(),
    together,
    async handIn(work) {
      const arrivals = work.map(({ id, sealed, context }) => ({
        id,
        submission: { kind: "sealed" as const, payload: sealed, context },
      }));
      const accepted = await acceptSubmissions(redis, keys, arrivals);
      await queue.add("decide", { v: 1, tenant: keys.tenant, ids: accepted.map(({ id }) => id) }, jobOptions());
    },
    async clear(work) {
      const left = work.flatMap(({ id, eventId }) => [
        keys.record(id),
        keys.verdict(id),
        keys.claim(eventId, "login"),
        keys.eventVerdicts(eventId),
      ]);
      for (let start = 0; start < left.length; start += 1000) await redis.unlink(...left.slice(start, start + 1000));
      await redis.unlink(keys.verdicts());
    },
  }));
}

function jobOptions() {
  return { jobId: `b-${randomUUID()}` };
}
