import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

/** A Postgres inside this process, behind a socket: whoever connects needs nothing but `pg`. */
export interface PGliteServer {
  readonly url: string;
  stop(): Promise<void>;
}

const MAX_CONNECTIONS = 16;

/**
 * Starts one with its data in memory. All connections share one session, and one transaction runs at a time: advisory
 * locks of a session keep nobody out, so migrations must not run side by side.
 */
export async function startPGlite(): Promise<PGliteServer> {
  const db = await PGlite.create();
  const server = new PGLiteSocketServer({ db, host: "127.0.0.1", port: 0, maxConnections: MAX_CONNECTIONS });
  await server.start();
  return {
    url: `postgres://postgres@${server.getServerConn()}/postgres`,
    async stop() {
      await server.stop();
      await db.close();
    },
  };
}
