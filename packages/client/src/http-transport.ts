import { isRecord, type OutcomeInput, ProblemError, type SubmissionInput, type Verdict } from "@assay/protocol";
import { NotOverHttpError, unavailable } from "./errors.ts";
import { openHttpStream } from "./http-stream.ts";
import { readProblem } from "./read-problem.ts";
import type { OutcomeReceipt, Receipt, Transport } from "./transport.ts";
import { isVerdict } from "./verdict-json.ts";
import { type Budget, withinBudget } from "./within-budget.ts";

/** How to reach an ingress. */
export interface HttpOptions {
  /** Base address: `https://assay.example.com`. */
  readonly url: string;
  /** A secret of `ASSAY_INGRESS_KEYS`. */
  readonly key: string;
  /** What sends requests; the platform's own when absent. */
  readonly fetch?: typeof globalThis.fetch;
}

interface Post {
  readonly method: "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const MAX_WAIT_MS = 30_000;
const DURABILITIES = ["memory", "local", "replica"] as const;

/** Speaks to an ingress. It holds nothing open but streams. Throws a TypeError for a url or a key that cannot be used. */
export function createHttpTransport(options: HttpOptions): Transport {
  const send = options.fetch ?? globalThis.fetch;
  const base = readBase(options.url);
  if (typeof options.key !== "string" || !/^[\x21-\x7e]+$/.test(options.key)) {
    throw new TypeError("key must be a secret of ASSAY_INGRESS_KEYS: visible ASCII characters, and no space.");
  }

  const stream = openHttpStream((path, headers, signal) =>
    send(new URL(path, base), { headers: { authorization: `Bearer ${options.key}`, ...headers }, signal }),
  );

  async function ask(path: string, signal: AbortSignal, init?: Post): Promise<Answer> {
    const headers = { authorization: `Bearer ${options.key}`, accept: "application/json", ...init?.headers };
    let status: number;
    let text: string;
    try {
      const response = await send(new URL(path, base), { ...init, headers, signal });
      status = response.status;
      text = await response.text();
    } catch (error) {
      throw unavailable(error);
    }
    const body = parseJson(text);
    if (status === 200 || status === 202) return { status, body };
    throw readProblem(status, body);
  }

  function post(
    pathOf: (leftMs: number) => string,
    input: SubmissionInput | OutcomeInput,
    idempotencyKey: string,
    budget: Budget,
  ): Promise<Answer> {
    const headers = { "content-type": "application/json", "idempotency-key": idempotencyKey };
    const body = JSON.stringify(input);
    return withinBudget((signal, leftMs) => ask(pathOf(leftMs), signal, { method: "POST", headers, body }), budget);
  }

  async function waitForVerdict(id: string, budget: Budget): Promise<Verdict | undefined> {
    try {
      return await withinBudget(async (signal, leftMs) => {
        const answer = await ask(`v1/verdicts/${encodeURIComponent(id)}${wait(leftMs)}`, signal).catch(unlessUnknown);
        if (answer?.status === 200) return verdictOf(answer);
        // Retryable: it is asked again while there is time.
        throw new ProblemError("not_confirmed", "The verdict is not there yet.", { id });
      }, budget);
    } catch (error) {
      if (error instanceof ProblemError && error.retryable) return undefined;
      throw error;
    }
  }

  return {
    async submit(input, idempotencyKey, budget) {
      try {
        return readReceipt(await post(() => "v1/submissions", input, idempotencyKey, budget));
      } catch (error) {
        // Decided, though the verdict is gone: as a receipt that is no failure.
        if (!(error instanceof ProblemError) || error.code !== "verdict_expired" || error.id === undefined) throw error;
        return { id: error.id, status: "decided" };
      }
    },
    async submitAndWait(input, idempotencyKey, budget) {
      const startedAt = performance.now();
      const answer = await post((leftMs) => `v1/submissions${wait(leftMs)}`, input, idempotencyKey, budget);
      const { id } = readReceipt(answer);
      if (answer.status === 200) return { id, verdict: verdictOf(answer) };
      // The door waits 30 s at most; a longer budget goes on with the verdict alone.
      const leftMs = budget.timeoutMs - (performance.now() - startedAt);
      const verdict =
        budget.timeoutMs > MAX_WAIT_MS ? await waitForVerdict(id, { ...budget, timeoutMs: leftMs }) : undefined;
      return { id, ...(verdict === undefined ? {} : { verdict }) };
    },
    report: async (input, idempotencyKey, budget) =>
      readOutcomeReceipt(await post(() => "v1/outcomes", input, idempotencyKey, budget)),
    waitForVerdict,
    async getVerdict(id, budget) {
      const path = `v1/verdicts/${encodeURIComponent(id)}`;
      const answer = await withinBudget((signal) => ask(path, signal).catch(unlessUnknown), budget);
      if (answer === undefined) return undefined;
      return answer.status === 200 ? verdictOf(answer) : "pending";
    },
    consume() {
      throw new NotOverHttpError("consume");
    },
    subscribe: stream.subscribe,
    tail: stream.tail,
    close: stream.stop,
  };
}

// What no request can be made of would look like an Assay that is away.
function readBase(url: string): URL {
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return new URL(url.endsWith("/") ? url : `${url}/`);
  throw new TypeError("url must be an http:// or https:// address, for example http://localhost:8080.");
}

// Less than what is left, so that the door's own answer arrives in time.
function wait(leftMs: number): string {
  const waitMs = Math.min(leftMs - Math.min(leftMs / 10, 100), MAX_WAIT_MS);
  return `?wait=${(waitMs / 1000).toFixed(3)}`;
}

function unlessUnknown(error: unknown): undefined {
  if (error instanceof ProblemError && error.code === "submission_not_found") return undefined;
  throw error;
}

function verdictOf({ status, body }: Answer): Verdict {
  if (isVerdict(body)) return body;
  throw readProblem(status, body);
}

function readReceipt(answer: Answer): Receipt {
  const { status, body } = answer;
  if (status === 200) return { id: verdictOf(answer).id, status: "decided" };
  if (!isRecord(body) || typeof body["id"] !== "string") throw readProblem(status, body);
  return { id: body["id"], ...statusOf(body) };
}

function readOutcomeReceipt({ status, body }: Answer): OutcomeReceipt {
  if (!isRecord(body) || typeof body["id"] !== "string" || typeof body["submission_id"] !== "string") {
    throw readProblem(status, body);
  }
  return { id: body["id"], submission_id: body["submission_id"], ...statusOf(body) };
}

function statusOf(body: Record<string, unknown>): Pick<OutcomeReceipt, "status" | "durability"> {
  const durability = DURABILITIES.find((known) => known === body["durability"]);
  const status = body["status"] === "accepted" ? "accepted" : "duplicate";
  return { status, ...(durability === undefined ? {} : { durability }) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
