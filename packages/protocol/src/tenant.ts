/** The tenant of an installation that names none. */
export const DEFAULT_TENANT = "0";

/** What a tenant's name looks like, for error texts. */
export const TENANT_NAME_RULE = "1 to 32 characters of a-z, 0-9, _ and -";

/** Whether text may be the name of a tenant: it stands in Redis keys, job data, paths and metrics. */
export function isTenantName(text: string): boolean {
  return /^[a-z0-9_-]{1,32}$/.test(text);
}
