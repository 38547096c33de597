const PASSING_REPLIES = /^(?:OOM|READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|MISCONF|NOREPLICAS|UNBLOCKED)\b/;
const CONNECTION =
  /ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|timed out|Socket timeout|Connection is closed|Stream isn't writeable|max retries per request|MaxRetriesPerRequest/i;

/** Whether an error of Redis's passes by itself: the connection's, or a server that cannot write just now. */
export function isPassing(error: Error): boolean {
  if (error.name === "ReplyError") return PASSING_REPLIES.test(error.message);
  return CONNECTION.test(`${error.name} ${error.message}`);
}

/** A short name of a Redis error for the metric `redis_errors_total`: a closed list. */
export function redisErrorKind(error: unknown): string {
  if (!(error instanceof Error)) return "other";
  const reply = PASSING_REPLIES.exec(error.message)?.[0];
  if (reply !== undefined) return reply.toLowerCase();
  if (/timed out|timeout/i.test(error.message)) return "timeout";
  return isPassing(error) ? "connection" : "other";
}
