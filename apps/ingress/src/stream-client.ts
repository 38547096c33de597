import { compareStreamIds, encodePlace, type Gap, type StreamPlace } from "@assay/ledger";
import type { Verdict } from "@assay/protocol";
import type { ServerResponse } from "node:http";
import type { StreamEnd } from "./metrics.ts";
import type { FedBatch, OpenFeed } from "./verdict-feed.ts";

/** One caller who is sent verdicts as they come. */
export interface StreamClient {
  /** Says that the connection lives, and how far the caller has come though nothing was for him. */
  beat(): void;
  /** Says why, and ends the answer; resolves when the caller has it, or was cut off. Safe to call twice. */
  end(reason: "slow" | "closing" | "unavailable"): Promise<void>;
}

export interface StreamClientOptions {
  readonly response: ServerResponse;
  readonly feed: OpenFeed;
  /** Where the caller had come to; what comes from now on when absent. */
  readonly after?: StreamPlace;
  readonly wants: (verdict: Verdict) => boolean;
  /** Most that may wait to be read by the caller, in bytes. */
  readonly maxBufferedBytes: number;
  /** How long a caller may read nothing of what he missed. */
  readonly patienceMs: number;
  /** How long he has to read the end. */
  readonly endMs: number;
  /** Unix ms. */
  readonly now: () => number;
  /** Called once. */
  readonly onEnd: (reason: StreamEnd) => void;
}

const HEAD = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // Nginx would hold events back.
  "x-accel-buffering": "no",
  connection: "close",
};
const RETRY_MS = 2000;

/** Begins the answer: first what the caller missed, at his own pace, then all that comes. */
export function openStreamClient(options: StreamClientOptions): StreamClient {
  const { response, feed, after, wants, maxBufferedBytes, patienceMs, now } = options;
  let place = after ?? feed.place();
  let told = place;
  let reason: StreamEnd | undefined;
  // He may have left while the feed was opened.
  const closed = response.destroyed
    ? Promise.resolve()
    : new Promise<void>((resolve) => response.once("close", () => resolve()));
  void closed.then(() => finish("left"));
  // A connection that breaks ends as one that is closed.
  response.on("error", () => undefined);
  response.writeHead(200, HEAD);
  response.write(`retry: ${RETRY_MS}\n${after === undefined ? `id: ${encodePlace(place)}\n` : ""}\n`);
  if (after === undefined) feed.join(receive);
  else void catchUp();

  function finish(why: StreamEnd): boolean {
    if (reason !== undefined) return false;
    reason = why;
    feed.leave();
    options.onEnd(why);
    return true;
  }

  // Between the last look at how far the feed has come and the joining, nothing can come: they are one step.
  async function catchUp(): Promise<void> {
    try {
      for (let isBehind = true; isBehind;) {
        const before = feed.place().id;
        const batch = await feed.read(place);
        if (reason !== undefined) return;
        send(batch);
        if (!(await drained())) return void end("slow");
        if (reason !== undefined) return;
        // Where nothing came and the feed stands where it stood, what lies between was taken out by hand.
        const isNothing = batch.verdicts.length === 0 && batch.gap === undefined && feed.place().id === before;
        isBehind = batch.isFull || (!isNothing && compareStreamIds(place.id, feed.place().id) < 0);
      }
    } catch {
      // The caller comes again, and goes on where he was.
      return void end("unavailable");
    }
    feed.join(receive);
  }

  function receive(batch: FedBatch): void {
    // Before it is sent: a burst alone makes nobody slow, but what is left of those before it does.
    if (response.writableLength > maxBufferedBytes) void end("slow");
    else send(batch);
  }

  function send({ gap, begin, verdicts, place: reached }: FedBatch): void {
    // What was caught up with may come once more by the feed.
    const fresh = verdicts.filter((one) => compareStreamIds(one.place.id, place.id) > 0 && wants(one.verdict));
    if (gap !== undefined) response.write(trimmedFrame(gap, begin, now()));
    if (fresh.length > 0) response.write(fresh.map(({ frame }) => frame).join(""));
    if (fresh.length > 0) told = fresh.at(-1)?.place ?? told;
    if (compareStreamIds(reached.id, place.id) >= 0) place = reached;
  }

  // Whether it was read in time.
  function drained(): Promise<boolean> {
    if (!response.writableNeedDrain) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (isDrained: boolean) => {
        clearTimeout(timer);
        response.off("drain", onDrain);
        resolve(isDrained);
      };
      const onDrain = () => settle(true);
      const timer = setTimeout(() => settle(false), patienceMs);
      response.once("drain", onDrain);
      void closed.then(() => settle(true));
    });
  }

  async function end(why: "slow" | "closing" | "unavailable"): Promise<void> {
    if (finish(why)) {
      response.end(`event: stream.${why}\ndata: ${JSON.stringify({ type: `stream.${why}`, at: now() })}\n\n`);
    }
    const timer = setTimeout(() => response.destroy(), options.endMs);
    await closed;
    clearTimeout(timer);
  }

  return {
    beat() {
      if (reason !== undefined) return;
      if (response.writableLength > maxBufferedBytes) return void end("slow");
      const moved = compareStreamIds(place.id, told.id) > 0;
      response.write(`: heartbeat\n${moved ? `id: ${encodePlace(place)}\n` : ""}\n`);
      told = place;
    },
    end,
  };
}

// Its id is the place behind the gap, so that it is not told again.
function trimmedFrame(gap: Gap, behind: StreamPlace, at: number): string {
  const envelope = { type: "stream.trimmed", at, data: gap };
  return `id: ${encodePlace(behind)}\nevent: stream.trimmed\ndata: ${JSON.stringify(envelope)}\n\n`;
}
