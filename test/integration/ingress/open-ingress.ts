import { randomBytes, randomUUID } from "node:crypto";
import { createLogger, type Env } from "@assay/host";
import { createIngress, type Ingress, type IngressDeps, loadConfig } from "@assay/ingress";
import type { Action } from "@assay/protocol";
import { expect } from "vitest";
import { openInstallation, type Installation } from "../client/installation.ts";

/** An ingress of one test, on a prefix of its own. */
export interface OpenIngress {
  readonly installation: Installation;
  readonly ingress: Ingress;
  /** Lines that it logged, from debug on. */
  readonly log: readonly string[];
  readonly baseUrl: string;
  /** A request to the data port. */
  request(path: string, init?: RequestInit): Promise<Answer>;
  /** A request to the admin port. */
  admin(path: string): Promise<Answer>;
  /** `POST /v1/submissions` as the key `shop`. */
  submit(body: unknown, options?: SubmitOptions): Promise<Answer>;
  /** `GET` as the key `shop`. */
  read(path: string): Promise<Answer>;
  decideAll(action?: Action): Promise<string[]>;
  close(): Promise<void>;
}

interface SubmitOptions {
  readonly key?: string;
  readonly wait?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer whose body was read. */
export interface Answer {
  readonly status: number;
  /** Media type, without parameters. */
  readonly type: string | undefined;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined where it is none. */
  readonly json: unknown;
}

/** What every request of `submit` and `read` bears. */
export const SHOP_KEY = { authorization: "Bearer shop-secret" };

export const WEBHOOK_SECRETS = ["webhook-secret-1", "webhook-secret-2"] as const;

/** Starts an ingress. `env` adds to a usual environment; undefined unsets a variable. */
export async function startIngress(
  redisUrl: string,
  env: Env = {},
  streamLimits: NonNullable<IngressDeps["streamLimits"]> = {},
): Promise<OpenIngress> {
  const installation = await openInstallation(redisUrl);
  const log: string[] = [];
  const config = loadConfig({
    REDIS_URL: redisUrl,
    ASSAY_PREFIX: installation.prefix,
    ASSAY_INGRESS_KEYS: "shop:shop-secret,shop:shop-secret-2,till:till-secret",
    ASSAY_WEBHOOK_SECRETS: WEBHOOK_SECRETS.join(","),
    PORT: "0",
    ASSAY_ADMIN_PORT: "0",
    ...env,
  });
  const logger = createLogger({ name: "ingress", level: "debug", destination: { write: (line) => log.push(line) } });
  const ingress = createIngress(config, { logger, host: "127.0.0.1", streamLimits });
  const { port, adminPort } = await ingress.start();
  const baseUrl = `http://127.0.0.1:${port}`;
  const request = (path: string, init?: RequestInit) => ask(`${baseUrl}${path}`, init);
  return {
    installation,
    ingress,
    log,
    baseUrl,
    request,
    admin: (path) => ask(`http://127.0.0.1:${adminPort}${path}`),
    submit: (body, { key = randomUUID(), wait, headers } = {}) =>
      request(`/v1/submissions${wait === undefined ? "" : `?wait=${wait}`}`, {
        method: "POST",
        headers: { ...SHOP_KEY, "content-type": "application/json", "idempotency-key": key, ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    read: (path) => request(path, { headers: SHOP_KEY }),
    decideAll: (action) => installation.decideAll(action),
    async close() {
      await ingress.stop();
      await installation.close();
    },
  };
}

/** An event id that no other test has, in Fingerprint's form. */
export function anEventId(): string {
  return `1700000000000.${randomBytes(3).toString("hex")}`;
}

/** An answer that is a problem document with this status and code, and these members. */
export function aProblem(status: number, code: string, members: object = {}): unknown {
  return expect.objectContaining({
    status,
    type: "application/problem+json",
    json: expect.objectContaining({ status, code, ...members }),
  });
}

async function ask(url: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const type = response.headers.get("content-type")?.split(";")[0];
  return { status: response.status, type, headers: response.headers, text, json: parse(text) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
