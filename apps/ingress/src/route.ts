import type { ReportDeps } from "@assay/client/report";
import type { VerdictWaiter } from "@assay/client/waiter";
import type { Durability } from "@assay/ledger";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AcceptDeps } from "./accept-arrival.ts";
import type { Credentials } from "./credentials.ts";
import type { LedgerReader } from "./ledger-reader.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Unix ms at which the request arrived. */
    receivedAt: number;
    /** The same moment on the clock of `performance.now()`. */
    startedAt: number;
    /** Name of the key that the request bears; empty where none is asked for. */
    keyName: string;
  }
}

/** A server whose schemas are zod's. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What the routes are made of. */
export interface RouteDeps extends AcceptDeps {
  readonly tenant: string;
  /** What a 202 promises. */
  readonly durability: Durability;
  /** As they are now: they may rotate. */
  readonly credentials: () => Credentials;
  readonly reader: LedgerReader;
  readonly waiter: VerdictWaiter;
  /** Where outcomes are kept. */
  readonly outcomes: ReportDeps;
}

/** Media type of every answer that is no error. */
export const JSON_TYPE = "application/json; charset=utf-8";
