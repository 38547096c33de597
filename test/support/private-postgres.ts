/** A private Postgres that a test may hurt. */
export interface PrivatePostgres {
  /** Its database `postgres`. Tests take one of their own by `createDatabase`. */
  readonly url: string;
  /** Sends a signal to all its processes; resolves when they have ended, or at once for SIGSTOP and SIGCONT. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Ends it if it runs, and starts it again on the same port and data. Resolves when it answers. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** Resolves when the server answers a query, or when the signal says that it never will. */
export type UntilReady = (url: string, gaveUp: AbortSignal) => Promise<void>;

/** Settings of a server whose data lives for one test: a killed process loses nothing that the system has taken. */
export const SETTINGS: Readonly<Record<string, string>> = {
  fsync: "off",
  full_page_writes: "off",
  max_wal_size: "1GB",
  shared_buffers: "64MB",
};
