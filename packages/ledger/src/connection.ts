import { Redis, type RedisOptions } from "ioredis";

/** Where Redis is: `redis://` or `rediss://`. */
export interface ConnectionTarget {
  readonly url: string;
  /** Shown by CLIENT LIST. */
  readonly name?: string;
}

const COMMAND_TIMEOUT_MS = 2000;
const CONNECT_TIMEOUT_MS = 2000;
// Above the 10 s that a blocking read of BullMQ may take; bounds a half-open connection.
const SOCKET_TIMEOUT_MS = 15_000;
// How long Redis has to say goodbye, and then how long its socket has to close.
const QUIT_TIMEOUT_MS = 500;
const CLOSE_TIMEOUT_MS = 500;

/**
 * A connection for commands: answers or fails within 2 s, and queues nothing while Redis is away.
 * A timed-out command may still have been executed: a caller must treat it as unknown. One that was cut off is sent again
 * once, or fails likewise where `resends` is false (default true).
 */
export function connectForCommands({
  resends = true,
  ...target
}: ConnectionTarget & { readonly resends?: boolean }): Redis {
  return connect(target, {
    maxRetriesPerRequest: resends ? 1 : 0,
    enableOfflineQueue: false,
    commandTimeout: COMMAND_TIMEOUT_MS,
  });
}

/** A connection for BullMQ workers and subscriptions: waits for Redis however long it takes. */
export function connectForWork(target: ConnectionTarget): Redis {
  return connect(target, { maxRetriesPerRequest: null, socketTimeout: SOCKET_TIMEOUT_MS });
}

/**
 * A connection for blocking reads of a stream: the same, but a read that was cut off fails. Sent again of itself, it
 * would pass over in silence what was trimmed meanwhile.
 */
export function connectForReads(target: ConnectionTarget): Redis {
  return connect(target, { maxRetriesPerRequest: 0, socketTimeout: SOCKET_TIMEOUT_MS });
}

function connect(target: ConnectionTarget, options: RedisOptions): Redis {
  const all: RedisOptions = {
    ...options,
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: CLOSE_TIMEOUT_MS,
    keepAlive: 10_000,
    ...(target.name === undefined ? {} : { connectionName: target.name }),
    retryStrategy: (attempt) => Math.min(50 * 2 ** (attempt - 1), 1000) + Math.random() * 200,
    // After a failover the old master is read-only: connect again. A connection for work then sends its command again.
    reconnectOnError: (error) => (/READONLY|MASTERDOWN/.test(error.message) ? 2 : false),
  };
  return new Redis(target.url, { ...all, replyMapping: "legacy" });
}

/** Waits until Redis answers on this connection, however long it takes; rejects when `signal` aborts. */
export async function whenReady(redis: Redis, signal?: AbortSignal): Promise<void> {
  if (redis.status === "ready") return;
  await new Promise<void>((resolve, reject) => {
    const done = (settle: () => void) => {
      redis.off("ready", onReady);
      signal?.removeEventListener("abort", onAbort);
      settle();
    };
    const onReady = () => done(resolve);
    const onAbort = () => done(() => reject(signal?.reason instanceof Error ? signal.reason : new Error("Aborted.")));
    redis.on("ready", onReady);
    signal?.addEventListener("abort", onAbort);
    if (signal?.aborted === true) onAbort();
  });
}

/** Ends a connection: politely while Redis answers, within a second otherwise. Safe to call twice. */
export async function disconnect(redis: Redis): Promise<void> {
  if (redis.status === "ready") await quit(redis);
  if (redis.status === "end") return;
  // Between two attempts to connect there is no socket, and no event would tell of its end.
  const ended = redis.status === "reconnecting" ? undefined : new Promise((resolve) => redis.once("end", resolve));
  redis.disconnect();
  await ended;
}

// QUIT waits behind a blocking read, and for ever on a Redis that hangs. When it fails, the caller frees the socket.
async function quit(redis: Redis): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, QUIT_TIMEOUT_MS);
  });
  await Promise.race([redis.quit().catch(() => undefined), patience]);
  clearTimeout(timer);
}
