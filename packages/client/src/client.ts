import { randomUUID } from "node:crypto";
import {
  type Action,
  type OutcomeInput,
  ProblemError,
  readIdempotencyKey,
  type SubmissionInput,
  type Verdict,
} from "@assay/protocol";
import { PeersMissingError, unavailable } from "./errors.ts";
import { createHttpTransport, type HttpOptions } from "./http-transport.ts";
import { createLazyTransport } from "./lazy-transport.ts";
import { checkTenant, readRedisUrl, type RedisOptions } from "./redis-options.ts";
import { type Each, submitEach } from "./submit-each.ts";
import type { OutcomeReceipt, Receipt, Transport } from "./transport.ts";
import type {
  Consumer,
  ConsumeOptions,
  ReceivedVerdict,
  SubscribeOptions,
  TailedVerdict,
  TailOptions,
  VerdictHandler,
} from "./verdict-stream.ts";
import type { Budget } from "./within-budget.ts";

/** What every call takes: how long it may take in all, and what ends it earlier (it then throws the signal's reason). */
export interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface SubmitOptions extends CallOptions {
  /** Names the caller's own operation. One is made for each call where it is absent; set it to repeat a call safely. */
  readonly idempotencyKey?: string;
}

export interface SubmitManyOptions extends CallOptions {
  readonly idempotencyKey?: (input: SubmissionInput, index: number) => string;
}

export interface DecideOptions extends SubmitOptions {
  /**
   * The action to take when there is no verdict in time; default `allow`. With an event id a visitor can bring that
   * about: an invented one is looked up for seconds. Choose `challenge` where that matters.
   */
  readonly otherwise?: Action;
}

/** What to do now. Only `decided` is a verdict; then again a verdict may still follow, by `waitForVerdict` or a stream. */
export type Answer =
  | { readonly reason: "decided"; readonly action: Action; readonly id: string; readonly verdict: Verdict }
  /** Accepted, and not decided in time. */
  | { readonly reason: "timeout"; readonly action: Action; readonly id: string }
  /** It is not known whether it was accepted. */
  | { readonly reason: "unavailable"; readonly action: Action; readonly id?: string };

/** A caller's Assay, the same over HTTP and straight to Redis. Methods throw a ProblemError unless they say otherwise. */
export interface AssayClient {
  /**
   * An answer within `timeoutMs` (default 300) in every case. Throws only for what is wrong with the call: its content,
   * its credentials, a key that was used for other content.
   */
  decide(input: SubmissionInput, options?: DecideOptions): Promise<Answer>;
  /** Resolves once it is accepted; default `timeoutMs` 5,000. After an `unavailable`, repeat it with the same key. */
  submit(input: SubmissionInput, options?: SubmitOptions): Promise<Receipt>;
  /** The same for many; results stand in the order of the inputs, and `timeoutMs` is for each. */
  submitMany(inputs: readonly SubmissionInput[], options?: SubmitManyOptions): Promise<Each<Receipt>[]>;
  /**
   * Tells what became of a submission, so that counters on outcomes count it; default `timeoutMs` 5,000. It is no use of
   * the event. After an `unavailable`, repeat it with the same key. Throws `submission_not_found` for one that is not
   * known, or no longer: it is remembered for a day after its decision unless the installation says otherwise.
   */
  report(outcome: OutcomeInput, options?: SubmitOptions): Promise<OutcomeReceipt>;
  /** Undefined when there is none in time; default `timeoutMs` 30,000. Throws `verdict_expired` when it is no longer kept. */
  waitForVerdict(id: string, options?: CallOptions): Promise<Verdict | undefined>;
  /** Undefined for an id that is not known. Default `timeoutMs` 5,000. Throws `verdict_expired` when it is no longer kept. */
  getVerdict(id: string, options?: CallOptions): Promise<Verdict | "pending" | undefined>;
  /**
   * Runs `handler` on each verdict of a group: acknowledged when it resolves, delivered again with growing pauses when
   * it throws, laid aside after ten deliveries. At least once: dedupe by id. Needs `connection`.
   */
  consume(options: ConsumeOptions, handler: VerdictHandler): Consumer;
  /**
   * Verdicts of a group, each to be acknowledged. At least once: dedupe by id. Over HTTP a group is not known: what is
   * not acknowledged comes again after a lost connection, and `after` goes on where an earlier process had come to.
   * Throws a ProblemError for what only the caller can mend, such as a key.
   */
  subscribe(options: SubscribeOptions): AsyncIterable<ReceivedVerdict>;
  /**
   * Verdicts as they come by, from now or behind one, each with its place. Nothing is acknowledged. It waits for an Assay
   * that is away, and goes on where it was. Throws a ProblemError for what only the caller can mend.
   */
  tail(options?: TailOptions): AsyncIterable<TailedVerdict>;
  /** Finishes handlers, ends waits and closes what was opened. Safe to call twice. */
  close(): Promise<void>;
}

const DECIDE_MS = 300;
const CALL_MS = 5000;
const WAIT_MS = 30_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Creates a client: `{ url, key }` over HTTP, `{ connection }` straight to Redis. It connects by itself, and again.
 * Throws a TypeError for an address or a tenant that cannot be used.
 */
export function createAssayClient(options: HttpOptions | RedisOptions): AssayClient {
  return clientOver(openTransport(options));
}

/** A client by a transport, which it closes. */
export function clientOver(transport: Transport): AssayClient {
  let closing: Promise<void> | undefined;

  function use(): Transport {
    if (closing !== undefined) throw unavailable(new Error("The client is closed."));
    return transport;
  }

  async function submit(input: SubmissionInput, { idempotencyKey, ...call }: SubmitOptions = {}): Promise<Receipt> {
    return use().submit(input, keyOf(input, idempotencyKey), budgetOf(call, CALL_MS));
  }

  return {
    async decide(input, { otherwise = "allow", idempotencyKey, ...call } = {}) {
      const key = keyOf(input, idempotencyKey);
      const budget = budgetOf(call, DECIDE_MS);
      try {
        const { id, verdict } = await use().submitAndWait(input, key, budget);
        if (verdict === undefined) return { reason: "timeout", action: otherwise, id };
        return { reason: "decided", action: verdict.action, id, verdict };
      } catch (error) {
        if (!(error instanceof ProblemError) || !error.retryable) throw error;
        return { reason: "unavailable", action: otherwise, ...(error.id === undefined ? {} : { id: error.id }) };
      }
    },
    submit,
    submitMany: (inputs, { idempotencyKey, ...call } = {}) =>
      submitEach(inputs, (input, index) => {
        const key = idempotencyKey?.(input, index);
        return submit(input, { ...call, ...(key === undefined ? {} : { idempotencyKey: key }) });
      }),
    report: async (outcome, { idempotencyKey, ...call } = {}) =>
      use().report(outcome, keyOf(outcome, idempotencyKey), budgetOf(call, CALL_MS)),
    waitForVerdict: async (id, call) => use().waitForVerdict(id, budgetOf(call, WAIT_MS)),
    getVerdict: async (id, call) => use().getVerdict(id, budgetOf(call, CALL_MS)),
    consume: (wanted, handler) => use().consume(wanted, handler),
    subscribe: (wanted) => use().subscribe(wanted),
    tail: (wanted = {}) => use().tail(wanted),
    close() {
      closing ??= transport.close();
      return closing;
    },
  };
}

function openTransport(options: HttpOptions | RedisOptions): Transport {
  if (!("connection" in options)) return createHttpTransport(options);
  const { connection, ...rest } = options;
  const url = readRedisUrl(connection);
  checkTenant(rest.tenant);
  // Loaded at once, though only here: over HTTP neither bullmq nor ioredis need be installed.
  return createLazyTransport(
    import("./redis-transport.ts").then(
      ({ createRedisTransport }) => createRedisTransport({ ...rest, url }),
      (cause: unknown) => {
        throw new PeersMissingError(cause);
      },
    ),
  );
}

// An option that is undefined is absent, and a timer that is too long would end at once.
function budgetOf({ timeoutMs, signal }: CallOptions = {}, defaultMs: number): Budget {
  const wanted = timeoutMs ?? defaultMs;
  if (Number.isNaN(wanted)) throw new TypeError("timeoutMs must be a number of milliseconds.");
  return { timeoutMs: Math.min(wanted, LONGEST_TIMER_MS), signal };
}

// The same for every repetition of one call.
function keyOf(input: SubmissionInput | OutcomeInput, idempotencyKey: string = randomUUID()): string {
  return readIdempotencyKey(idempotencyKey, input.event_id);
}
