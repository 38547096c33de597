import { setTimeout as pause } from "node:timers/promises";
import { isRecord, ProblemError, readEnvelope, type Verdict } from "@assay/protocol";
import { unavailable } from "./errors.ts";
import { createFrameReader, type EventFrame } from "./event-frames.ts";
import { readProblem } from "./read-problem.ts";
import { createStreamCursor, type StreamCursor } from "./stream-cursor.ts";
import { type Trimmed, warnOfTrimmed } from "./trimmed.ts";
import type { VerdictFilter } from "./verdict-filter.ts";
import type { ReceivedVerdict, SubscribeOptions, TailedVerdict, TailOptions } from "./verdict-stream.ts";

/** Sends a GET for a path, which begins without a slash. */
export type Get = (path: string, headers: Record<string, string>, signal: AbortSignal) => Promise<Response>;

/** Streams of verdicts over HTTP, and where they end. */
export interface HttpStream {
  readonly subscribe: (options: SubscribeOptions) => AsyncIterable<ReceivedVerdict>;
  readonly tail: (options: TailOptions) => AsyncIterable<TailedVerdict>;
  /** Ends them all. Safe to call twice. */
  readonly stop: () => Promise<void>;
}

interface Following {
  readonly path: string;
  readonly cursor: StreamCursor;
  readonly onTrimmed: (trimmed: Trimmed) => void;
  readonly onError: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/** Thrice what lies between two heartbeats. */
const SILENCE_MS = 45_000;
const RETRY_MS = 2000;
const LONGEST_RETRY_MS = 30_000;

/** Opens nothing yet. A connection that brings nothing for `silenceMs`, not even a heartbeat, is given up. */
export function openHttpStream(get: Get, { silenceMs = SILENCE_MS } = {}): HttpStream {
  const closing = new AbortController();

  return {
    async *subscribe({ filter, from = "now", after, onTrimmed = warnOfTrimmed, signal }) {
      const cursor = createStreamCursor(after);
      const path = pathOf(filter, from);
      const ending = linked(signal);
      try {
        const onError = () => undefined;
        for await (const [verdict, id] of follow({ path, cursor, onTrimmed, onError, signal: ending.signal })) {
          const deliveries = cursor.receive(verdict.id, id);
          if (deliveries === undefined) continue;
          yield { verdict, id, deliveries, ack: () => Promise.resolve(cursor.acknowledge(verdict.id)) };
        }
      } finally {
        ending.abort();
      }
    },
    async *tail({ filter, from = "now", onTrimmed = warnOfTrimmed, onError = () => undefined, signal }) {
      const cursor = createStreamCursor(from === "now" ? undefined : from);
      const path = pathOf(filter, "now");
      const ending = linked(signal);
      try {
        for await (const [verdict, id] of follow({ path, cursor, onTrimmed, onError, signal: ending.signal })) {
          cursor.pass(id);
          yield { verdict, id };
        }
      } finally {
        ending.abort();
      }
    },
    stop() {
      closing.abort();
      return Promise.resolve();
    },
  };

  function linked(signal: AbortSignal | undefined): AbortController {
    const ending = new AbortController();
    for (const each of [closing.signal, signal]) {
      each?.addEventListener("abort", () => ending.abort(), { signal: ending.signal });
      if (each?.aborted === true) ending.abort();
    }
    return ending;
  }

  // Connects again and again, behind what is done with, until the signal aborts or only the caller can mend it.
  async function* follow(following: Following): AsyncGenerator<readonly [Verdict, string]> {
    const { onError, signal } = following;
    let retryMs = RETRY_MS;
    let failures = 0;
    while (!signal.aborted) {
      try {
        for await (const frame of connect(following)) {
          failures = 0;
          retryMs = frame.retryMs ?? retryMs;
          const verdict = read(frame, following);
          if (signal.aborted) return;
          if (verdict !== undefined) yield verdict;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ProblemError && !error.retryable) throw error;
        failures++;
        onError(error);
      }
      // With jitter: all are cut off at the same moment.
      const pauseMs = Math.min(retryMs * 2 ** Math.max(failures - 1, 0), LONGEST_RETRY_MS) * (0.5 + Math.random() / 2);
      await pause(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async function* connect({ path, cursor, signal }: Following): AsyncGenerator<EventFrame> {
    const cut = new AbortController();
    const onAbort = () => cut.abort(signal.reason);
    signal.addEventListener("abort", onAbort);
    const tooSilent = () => cut.abort(new Error(`The stream brought nothing for ${silenceMs} ms.`));
    let watchdog = setTimeout(tooSilent, silenceMs);
    try {
      const place = cursor.place();
      const headers = { accept: "text/event-stream", ...(place === undefined ? {} : { "last-event-id": place }) };
      const response = await get(path, headers, cut.signal);
      if (response.status !== 200) throw readProblem(response.status, parse(await response.text()));
      if (response.body === null) throw new TypeError("The answer has no body.");
      const readFrames = createFrameReader();
      const decoder = new TextDecoder();
      for await (const chunk of response.body) {
        clearTimeout(watchdog);
        const frames = readFrames(decoder.decode(chunk, { stream: true }));
        yield* frames;
        // What the reader of frames takes its time for is no silence.
        watchdog = setTimeout(tooSilent, silenceMs);
      }
    } catch (error) {
      throw error instanceof ProblemError ? error : unavailable(cut.signal.aborted ? cut.signal.reason : error);
    } finally {
      clearTimeout(watchdog);
      signal.removeEventListener("abort", onAbort);
      cut.abort();
    }
  }
}

// Undefined for what only moves the place, tells something else, or is of a type that this version does not know.
function read({ event, data, id }: EventFrame, following: Following): readonly [Verdict, string] | undefined {
  const { cursor, onTrimmed, onError } = following;
  try {
    const verdict = event === "verdict.decided" && data !== undefined ? readEnvelope(data)?.data : undefined;
    if (verdict !== undefined && id !== undefined) return [verdict, id];
    const trimmed = event === "stream.trimmed" ? readTrimmed(parse(data ?? "")) : undefined;
    if (trimmed !== undefined) onTrimmed(trimmed);
  } catch (error) {
    onError(error);
  }
  if (id !== undefined) cursor.pass(id);
  return undefined;
}

function readTrimmed(envelope: unknown): Trimmed | undefined {
  const { lost, from, to, archive } = isRecord(envelope) && isRecord(envelope["data"]) ? envelope["data"] : {};
  if (typeof from !== "number" || typeof to !== "number") return undefined;
  const has = (["follows", "away", "missing"] as const).find((word) => word === archive);
  return {
    ...(typeof lost === "number" ? { lost } : {}),
    from,
    to,
    ...(has === undefined ? {} : { archive: has }),
  };
}

function pathOf({ action, flow, kind, test }: VerdictFilter = {}, from: "now" | "beginning"): string {
  const query = new URLSearchParams();
  for (const [name, wanted] of Object.entries({ action, flow, kind })) {
    for (const one of wanted === undefined ? [] : [wanted].flat()) query.append(name, one);
  }
  if (test === true) query.set("test", "true");
  if (from === "beginning") query.set("from", from);
  return `v1/stream?${query.toString()}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
