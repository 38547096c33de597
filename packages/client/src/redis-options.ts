import { isTenantName, TENANT_NAME_RULE } from "@assay/protocol";

/** How to reach an Assay by its Redis. */
export interface RedisOptions {
  /** `redis://` or `rediss://`. */
  readonly connection: string | { readonly url: string };
  /** Whose submissions and verdicts these are; default `0`. Over HTTP the key says it. */
  readonly tenant?: string;
  /** Callers of one name share their Idempotency-Keys, whichever door they come by. Default `default`. */
  readonly keyName?: string;
  /** Whether it is for tests: it may send test events (`test_block`), and nothing else. Default false. */
  readonly test?: boolean;
  /** `ASSAY_PREFIX` of the installation; default `assay`. */
  readonly prefix?: string;
  /** What the installation promises, if receipts are to say it: this client cannot see it. */
  readonly durability?: "memory" | "local";
}

/** The address of a connection. Throws a TypeError for one that cannot be used. */
export function readRedisUrl(connection: RedisOptions["connection"]): string {
  const url = typeof connection === "string" ? connection : connection.url;
  if (/^rediss?:\/\//.test(url) && URL.canParse(url)) return url;
  throw new TypeError(
    "connection must be a redis:// or rediss:// address; clusters and sentinels are not in this version.",
  );
}

/** Throws a TypeError for a tenant that cannot be one. */
export function checkTenant(tenant: RedisOptions["tenant"]): void {
  if (tenant === undefined || isTenantName(tenant)) return;
  throw new TypeError(`tenant must be ${TENANT_NAME_RULE}, as in ASSAY_TENANTS_FILE.`);
}
