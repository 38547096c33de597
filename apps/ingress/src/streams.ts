import type { VerdictArchive } from "@assay/ledger";
import { ProblemError } from "@assay/protocol";
import type { IngressMetrics } from "./metrics.ts";
import { openStreamClient, type StreamClient, type StreamClientOptions } from "./stream-client.ts";

/** Bounds of streams of verdicts. */
export interface StreamLimits {
  /** Streams at once in this process; 1,000 when absent. */
  readonly maxClients: number;
  /** Bytes that one caller may leave unread; 1 MiB when absent. */
  readonly maxBufferedBytes: number;
  /** Time between two signs of life, in ms; 15,000 when absent. */
  readonly heartbeatMs: number;
}

/** All streams of verdicts of this process. */
export interface Streams {
  /** Takes a seat. Throws a ProblemError `overloaded` when there is none, `unavailable` when this process stops. */
  take(): Seat;
  /** Ends each. Safe to call twice. */
  stop(): Promise<void>;
}

/** The right to one stream. Give it up, or open a stream by it. */
interface Seat {
  open(stream: Pick<StreamClientOptions, "response" | "feed" | "tenant" | "after" | "wants">): void;
  giveUp(): void;
}

export interface StreamsOptions {
  /** Where verdicts are that have left their stream. */
  readonly archive?: VerdictArchive;
  readonly metrics: IngressMetrics;
  /** Unix ms. */
  readonly now: () => number;
  readonly limits: Partial<StreamLimits>;
}

const MAX_CLIENTS = 1000;
const MAX_BUFFERED_BYTES = 1024 * 1024;
const HEARTBEAT_MS = 15_000;
const PATIENCE_MS = 30_000;
// Well below the time that a process has for its stop.
const END_MS = 2000;

/** Nothing is open. */
export function createStreams({ archive, metrics, now, limits }: StreamsOptions): Streams {
  const { maxClients = MAX_CLIENTS, maxBufferedBytes = MAX_BUFFERED_BYTES, heartbeatMs = HEARTBEAT_MS } = limits;
  const clients = new Set<StreamClient>();
  let taken = 0;
  let isStopping = false;
  const beating = setInterval(() => {
    for (const client of clients) client.beat();
  }, heartbeatMs);
  beating.unref();

  function giveUp(): void {
    metrics.streamClients(--taken);
  }

  return {
    take() {
      if (isStopping) throw new ProblemError("unavailable", "This process stops. Connect again.");
      if (taken >= maxClients) {
        throw new ProblemError("overloaded", `This process serves ${maxClients} streams already. Connect again later.`);
      }
      metrics.streamClients(++taken);
      return {
        giveUp,
        open(stream) {
          const client = openStreamClient({
            ...stream,
            ...(archive === undefined ? {} : { archive }),
            maxBufferedBytes,
            patienceMs: PATIENCE_MS,
            endMs: END_MS,
            now,
            onEnd(reason) {
              metrics.streamClosed(reason);
              clients.delete(client);
              giveUp();
            },
          });
          clients.add(client);
          if (isStopping) void client.end("closing");
        },
      };
    },
    async stop() {
      isStopping = true;
      clearInterval(beating);
      await Promise.all([...clients].map((client) => client.end("closing")));
    },
  };
}
