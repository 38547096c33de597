/**
 * The peer: a plain BullMQ worker in a process of its own. One job per event, which carries the sealed result; the
 * vendor's SDK opens it, json-rules-engine judges it, and XADD publishes the verdict.
 */
import type { Context } from "@assay/protocol";
import { DecryptionAlgorithm, unsealEventsResponse } from "@fingerprint/node-sdk";
import { Worker } from "bullmq";
import { Redis } from "ioredis";
import { createPeerJudge } from "./peer-rules.ts";

/** What one of the peer's jobs carries. */
export interface PeerJob {
  readonly sealed: string;
  readonly context: Context;
}

const { REDIS_URL = "", PEER_QUEUE = "", PEER_STREAM = "", PEER_KEY = "", PEER_CONCURRENCY = "" } = process.env;

const keys = [{ key: Buffer.from(PEER_KEY, "base64"), algorithm: DecryptionAlgorithm.Aes256Gcm }];
const connection = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
const judge = createPeerJudge();

const worker = new Worker<PeerJob>(
  PEER_QUEUE,
  async ({ data }) => {
    const event = await unsealEventsResponse(Buffer.from(data.sealed, "base64"), keys);
    const decision = await judge(event, data.context);
    const { event_id, timestamp, identification } = event;
    const visitor_id = identification?.visitor_id;
    const verdict = { event_id, event_time: timestamp, visitor_id, ...decision, decided_at: Date.now() };
    await connection.xadd(PEER_STREAM, "*", "e", JSON.stringify(verdict));
  },
  { connection, concurrency: Number(PEER_CONCURRENCY), removeOnComplete: { count: 0 } },
);
worker.on("error", (error) => console.error(error));
worker.on("failed", (_, error) => console.error(error));
await worker.waitUntilReady();
console.log(JSON.stringify({ msg: "deciding" }));

process.once("SIGTERM", () => {
  void worker.close().then(() => connection.disconnect());
});
