import { connectForCommands, disconnect, redisErrorKind, whenReady } from "@assay/ledger";
import type { Redis } from "ioredis";

/** A connection that is ready, or why there is none. */
export type Reached =
  | { readonly redis: Redis; close(): Promise<void> }
  | { readonly redis?: undefined; readonly why: string; readonly todo: string };

const WITHIN_MS = 3000;

/** Connects, or says within three seconds why that fails. No address or password is in what it says. */
export async function reachRedis(
  url: string,
  { name = "assay-command", resends = true }: { readonly name?: string; readonly resends?: boolean } = {},
): Promise<Reached> {
  if (url === "" || !URL.canParse(url)) return { why: "Where Redis is cannot be told", todo: "set REDIS_URL" };
  const redis = connectForCommands({ url, name, resends });
  let last: Error | undefined;
  redis.on("error", (error) => {
    last = error;
  });
  try {
    await whenReady(redis, AbortSignal.timeout(WITHIN_MS));
    return { redis, close: () => disconnect(redis) };
  } catch {
    redis.disconnect();
    return reasonOf(last);
  }
}

function reasonOf(error: Error | undefined): { readonly why: string; readonly todo: string } {
  const said = error?.message ?? "";
  if (/WRONGPASS|NOAUTH|invalid password/i.test(said)) {
    return { why: "Redis refuses the password", todo: "correct user and password in REDIS_URL" };
  }
  if (error !== undefined && redisErrorKind(error) === "loading") {
    return { why: "Redis is still loading its data", todo: "try again in a moment" };
  }
  const code = error !== undefined && "code" in error ? ` (${String(error.code)})` : "";
  return {
    why: `Redis could not be reached within ${WITHIN_MS / 1000} s${code}`,
    todo: "start it, or correct REDIS_URL; rediss:// is for TLS",
  };
}
