import {
  compareStreamIds,
  encodePlace,
  fillGap,
  type Gap,
  type GapNotice,
  type StreamPlace,
  type VerdictArchive,
} from "@assay/ledger";
import type { Verdict } from "@assay/protocol";
import type { ServerResponse } from "node:http";
import type { StreamEnd } from "./metrics.ts";
import { type FedBatch, type FedVerdict, fedVerdict, type OpenFeed } from "./verdict-feed.ts";

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
  readonly tenant: string;
  /** Where verdicts are that have left the stream. */
  readonly archive?: VerdictArchive;
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
  const { response, feed, tenant, archive, after, wants, maxBufferedBytes, patienceMs, now } = options;
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
  async function catchUp(begun?: FedBatch): Promise<void> {
    try {
      for (let isBehind = true, given = begun; isBehind; given = undefined) {
        const before = feed.place().id;
        const batch = given ?? (await feed.read(place));
        if (reason !== undefined) return;
        if (batch.gap !== undefined && !(await fill(batch.gap, batch.begin))) return;
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

  // What left the stream comes first, from the archive. Resolves with whether the stream goes on.
  async function fill(gap: Gap, behind: StreamPlace): Promise<boolean> {
    const isBehind = (entryId: string) => feed.isArchiveBehind(entryId);
    for await (const { notice, entries } of fillGap(archive, tenant, gap, { behind, isBehind })) {
      if (reason !== undefined) return false;
      if (notice !== undefined) tellTrimmed(notice, behind);
      else write(entries.flatMap(fedVerdict));
      place = entries?.at(-1)?.place ?? place;
      if (!(await drained())) void end("slow");
    }
    return reason === undefined;
  }

  function receive(batch: FedBatch): void {
    // Before it is sent: a burst alone makes nobody slow, but what is left of those before it does.
    if (response.writableLength > maxBufferedBytes) return void end("slow");
    if (batch.gap === undefined) return send(batch);
    // The feed itself has missed something: everybody catches up with that.
    feed.part();
    void catchUp(batch);
  }

  function send({ verdicts, place: reached }: FedBatch): void {
    // What was caught up with may come once more by the feed.
    write(verdicts.filter((one) => compareStreamIds(one.place.id, place.id) > 0));
    if (compareStreamIds(reached.id, place.id) >= 0) place = reached;
  }

  function write(verdicts: readonly FedVerdict[]): void {
    const wanted = verdicts.filter(({ verdict }) => wants(verdict));
    if (wanted.length > 0) response.write(wanted.map(({ frame }) => frame).join(""));
    told = wanted.at(-1)?.place ?? told;
  }

  // Its id is the place behind the gap, so that it is not told again; unless the gap is yet to be filled.
  function tellTrimmed({ lost, from, to, archive: has }: GapNotice, behind: StreamPlace): void {
    const envelope = { type: "stream.trimmed", at: now(), data: { lost, from, to, archive: has } };
    const id = has === "follows" ? "" : `id: ${encodePlace(behind)}\n`;
    response.write(`${id}event: stream.trimmed\ndata: ${JSON.stringify(envelope)}\n\n`);
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
