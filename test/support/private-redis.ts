import { once } from "node:events";
import { createServer } from "node:net";

/** A private Redis that a test may hurt. */
export interface PrivateRedis {
  readonly url: string;
  readonly port: number;
  /** Changes with a restart. Undefined in Docker: hurt it by `kill`. */
  readonly pid: number | undefined;
  /** Where its append-only file lies; undefined in Docker. */
  readonly dir: string | undefined;
  /** Sends a signal; resolves when the process has ended, or at once for SIGSTOP and SIGCONT. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Ends it if it runs, and starts it again on the same port and data. Resolves when it answers. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** Resolves when the server answers PING, or when the signal says that it never will. */
export type UntilReady = (url: string, gaveUp: AbortSignal) => Promise<void>;

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  server.close();
  await once(server, "close");
  return port;
}
