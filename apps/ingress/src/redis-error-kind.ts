/** Kinds of trouble with Redis, for a metric's label. */
export type RedisErrorKind = "timeout" | "away" | "full" | "readonly" | "loading" | "other";

/** What kind of trouble an error of a Redis connection is. */
export function redisErrorKind(error: unknown): RedisErrorKind {
  const text = error instanceof Error ? `${error.name} ${codeOf(error)} ${error.message}` : "";
  if (/Command timed out/i.test(text)) return "timeout";
  if (/\bOOM\b/.test(text)) return "full";
  if (/READONLY|MASTERDOWN/.test(text)) return "readonly";
  if (/LOADING/.test(text)) return "loading";
  if (/ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|MaxRetries|Connection is closed|isn't writeable/i.test(text)) {
    return "away";
  }
  return "other";
}

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : "";
}
