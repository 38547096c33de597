import * as http from "node:http";
import * as https from "node:https";
import { isIP } from "node:net";
import { ASSAY_VERSION } from "@assay/host";
import type { AddressGuard } from "./address-guard.ts";
import type { Endpoint } from "./endpoint.ts";
import { guardLookup, RefusedAddressError, type Resolve } from "./guarded-lookup.ts";
import { readRetryAfter } from "./retry-after.ts";
import { createSignature } from "./sign-webhook.ts";

/** Why a try failed. */
type FailureReason =
  | "timeout"
  | "connection"
  | "tls"
  | "name_not_found"
  | "refused_address"
  | "redirect"
  | "client_error"
  | "throttled"
  | "server_error";

/** What became of one try. */
export type Attempt =
  | { readonly status: "delivered" }
  /** The receiver said 410: it wants no more. */
  | { readonly status: "gone" }
  | { readonly status: "failed"; readonly reason: FailureReason; readonly code?: number; readonly askedMs?: number };

/** Sends to one endpoint, over connections that it keeps. */
export interface WebhookPost {
  /** Never rejects. */
  send(delivery: { readonly id: string; readonly body: string }): Promise<Attempt>;
  stop(): void;
}

export interface PostOptions {
  readonly guard: AddressGuard;
  readonly resolve: Resolve;
  /** Unix ms. */
  readonly now: () => number;
  /** For a whole try, in ms. */
  readonly timeoutMs: number;
  /** Most connections at once. */
  readonly maxConnections: number;
}

/** An answer says all by its status: what else it brings is thrown away, and cut off here. */
const MAX_ANSWER_BYTES = 16 * 1024;
const IDLE_MS = 15_000;

/** Follows no redirect, uses no proxy, and connects to no address that the guard has not seen. */
export function createPost(endpoint: Endpoint, options: PostOptions): WebhookPost {
  const url = new URL(endpoint.url);
  const isEncrypted = url.protocol === "https:";
  const faultOf = (address: string) => options.guard.faultOf(address, { ...endpoint, isEncrypted });
  const sign = createSignature(endpoint.secrets);
  const settings = { keepAlive: true, maxSockets: options.maxConnections, timeout: IDLE_MS };
  // Said, as the environment may say otherwise for a whole process.
  const agent = isEncrypted ? new https.Agent({ ...settings, rejectUnauthorized: true }) : new http.Agent(settings);
  const request = isEncrypted ? https.request : http.request;
  const lookup = guardLookup(options.resolve, faultOf);

  function open(id: string, body: string, signal: AbortSignal): http.ClientRequest {
    const headers = {
      ...endpoint.headers,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      "user-agent": `assay/${ASSAY_VERSION}`,
      ...sign(id, new Date(options.now()), body),
    };
    return request(url, { method: "POST", headers, agent, lookup, signal }).end(body);
  }

  return {
    async send({ id, body }) {
      // Of an address no look-up is made.
      const host = url.hostname.replace(/^\[|\]$/g, "");
      if (isIP(host) !== 0 && faultOf(host) !== undefined) return { status: "failed", reason: "refused_address" };
      const signal = AbortSignal.timeout(options.timeoutMs);
      try {
        return readAnswer(await answerOf(() => open(id, body, signal)), options.now());
      } catch (error) {
        return { status: "failed", reason: signal.aborted ? "timeout" : reasonOf(error) };
      }
    },
    stop: () => agent.destroy(),
  };
}

async function answerOf(open: () => http.ClientRequest): Promise<http.IncomingMessage> {
  const first = open();
  try {
    return await answered(first);
  } catch (error) {
    // The receiver closed an idle connection at the moment it was used again: that is nobody's failure.
    if (first.reusedSocket && codeOf(error) === "ECONNRESET") return await answered(open());
    throw error;
  }
}

function answered(request: http.ClientRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (answer) => {
      let bytes = 0;
      // The status is known: however the rest of the answer ends, it does not change it.
      const done = () => resolve(answer);
      request.off("error", reject).on("error", done);
      answer.on("error", done).on("end", done).on("close", done);
      answer.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) answer.destroy();
      });
    });
  });
}

function readAnswer({ statusCode: code = 0, headers }: http.IncomingMessage, now: number): Attempt {
  if (code >= 200 && code < 300) return { status: "delivered" };
  if (code === 410) return { status: "gone" };
  const askedMs = code === 429 || code === 503 ? readRetryAfter(headers["retry-after"], now) : undefined;
  const asked = askedMs === undefined ? {} : { askedMs };
  return { status: "failed", reason: reasonOfStatus(code), code, ...asked };
}

function reasonOfStatus(code: number): FailureReason {
  if (code === 429) return "throttled";
  if (code >= 500) return "server_error";
  return code >= 300 && code < 400 ? "redirect" : "client_error";
}

function reasonOf(error: unknown): FailureReason {
  if (error instanceof RefusedAddressError) return "refused_address";
  const code = codeOf(error);
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "name_not_found";
  return /^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|EPROTO)/.test(code) ? "tls" : "connection";
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
