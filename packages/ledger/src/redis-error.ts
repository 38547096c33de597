/** Kinds of trouble with Redis, for a metric's label. */
export type RedisErrorKind = "timeout" | "away" | "full" | "readonly" | "loading" | "other";

const PASSING_REPLIES = /^(?:OOM|READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|MISCONF|NOREPLICAS|UNBLOCKED)\b/;
const AWAY =
  /ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|Socket timeout|Connection is closed|isn't writeable|max retries per request|MaxRetriesPerRequest/i;

/** Whether an error of Redis's passes by itself: the connection's, or a server that cannot write just now. */
export function isPassing(error: Error): boolean {
  if (error.name === "ReplyError") return PASSING_REPLIES.test(error.message);
  return PASSING_REPLIES.test(error.message) || ["timeout", "away"].includes(redisErrorKind(error));
}

/** What kind of trouble an error of a Redis connection is. */
export function redisErrorKind(error: unknown): RedisErrorKind {
  const said = error instanceof Error ? `${error.name} ${codeOf(error)} ${error.message}` : "";
  if (/Command timed out/i.test(said)) return "timeout";
  if (/\bOOM\b/.test(said)) return "full";
  if (/READONLY|MASTERDOWN/.test(said)) return "readonly";
  if (/LOADING/.test(said)) return "loading";
  return AWAY.test(said) ? "away" : "other";
}

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : "";
}
