import type { ReportDeps } from "@assay/client/report";
import type { VerdictWaiter } from "@assay/client/waiter";
import type { Durability } from "@assay/ledger";
import { ProblemError, type Role } from "@assay/protocol";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AcceptDeps } from "./accept-arrival.ts";
import type { ArchiveLink } from "./archive-link.ts";
import type { Credentials } from "./credentials.ts";
import type { LedgerReader } from "./ledger-reader.ts";
import type { WebhookVerdicts } from "./read-credentials.ts";
import type { Streams } from "./streams.ts";
import type { VerdictFeed } from "./verdict-feed.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Unix ms at which the request arrived. */
    receivedAt: number;
    /** The same moment on the clock of `performance.now()`. */
    startedAt: number;
    /** Name of the key that the request bears; empty where none is asked for. */
    keyName: string;
    /** The tenant of that key. */
    tenant: string;
    /** The roles of that key. */
    roles: readonly Role[];
    /** Says, once, that the answer has begun and will last: it is no work in hand. */
    lasts: () => void;
  }
  interface FastifyContextConfig {
    /** The roles of which a caller needs one; every route behind keys says it. */
    needs?: readonly Role[];
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

/** What the routes do their work with for one tenant. */
export interface TenantDeps extends AcceptDeps {
  readonly tenant: string;
  /** What a 202 promises. */
  readonly durability: Durability;
  /** Which webhooks get a verdict. */
  readonly webhookVerdicts: WebhookVerdicts;
  readonly reader: LedgerReader;
  readonly waiter: VerdictWaiter;
  /** Where outcomes are kept. */
  readonly outcomes: ReportDeps;
  readonly feed: VerdictFeed;
}

/** What the routes are made of. */
export interface RouteDeps {
  /** By name. */
  readonly tenants: ReadonlyMap<string, TenantDeps>;
  /** As they are now: they may rotate. */
  readonly credentials: () => Credentials;
  readonly streams: Streams;
  /** Absent where none is configured. */
  readonly archive?: ArchiveLink;
}

/** What serves a tenant. Throws a ProblemError `tenant_not_found`, which names no tenant. */
export function tenantOf({ tenants }: RouteDeps, name: string): TenantDeps {
  const tenant = tenants.get(name);
  if (tenant !== undefined) return tenant;
  throw new ProblemError(
    "tenant_not_found",
    "There is no such tenant. The path of a webhook is /v1/webhooks/fingerprint, and the tenant's name behind it where there are several.",
  );
}

/** The archive. Throws a ProblemError `archive_not_configured` where there is none. */
export function archiveOf({ archive }: RouteDeps): ArchiveLink {
  if (archive !== undefined) return archive;
  throw new ProblemError(
    "archive_not_configured",
    "This reads the archive. Set DATABASE_URL of the ingress to its Postgres.",
  );
}

/** Media type of every answer that is no error. */
export const JSON_TYPE = "application/json; charset=utf-8";
