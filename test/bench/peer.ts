import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { startApp } from "../support/app-process.ts";
import type { Contender } from "./contender.ts";
import type { Ground } from "./ground.ts";
import type { PeerJob } from "./peer-worker.ts";

// Jobs of one pipeline: it spares the peer's producer what it can be spared.
const JOBS_TOGETHER = 64;

/** The peer with so many jobs at once: one BullMQ job per event, which carries the sealed result. */
export async function openPeer(ground: Ground, concurrency: number): Promise<Contender> {
  const name = `peer-${concurrency}`;
  const stream = `${name}:verdicts`;
  const worker = startApp("test/bench/peer-worker.ts", {
    REDIS_URL: ground.redisUrl,
    PEER_QUEUE: name,
    PEER_STREAM: stream,
    PEER_KEY: ground.sealedKey,
    PEER_CONCURRENCY: String(concurrency),
  });
  ground.closing(() => worker.stop());
  await worker.line(({ msg }) => msg === "deciding");

  const redis = new Redis(ground.redisUrl, { maxRetriesPerRequest: 1 });
  ground.closing(async () => redis.disconnect());
  const queue = new Queue<PeerJob>(name, {
    connection: redis,
    streams: { events: { maxLen: 1000 } },
    defaultJobOptions: { removeOnComplete: true, removeOnFail: { count: 1000 } },
  });
  ground.closing(() => queue.close());

  return {
    name: `peer, ${concurrency} at once`,
    worker,
    redis,
    queue,
    stream,
    together: JOBS_TOGETHER,
    async handIn(work) {
      const jobs = work.map(({ sealed, context }) => ({
        name: "decide",
        data: { sealed: Buffer.from(sealed).toString("base64"), context },
      }));
      await queue.addBulk(jobs);
    },
    async clear() {
      await redis.unlink(stream);
    },
  };
}
