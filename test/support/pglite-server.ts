import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

/** A Postgres inside this process, behind a socket: whoever connects needs nothing but `pg`. */
export interface PGliteServer {
  readonly url: string;
  stop(): Promise<void>;
}

const MAX_CONNECTIONS = 16;
/** Messages behind which a statement goes on: Parse, Bind, Describe, Execute, Close and Flush. Sync ends it. */
const MIDWAY = new Set(["P", "B", "D", "E", "C", "H"]);

/**
 * The server lets a connection go on alone while a transaction is open, and mixes the messages of others. A statement with
 * parameters is several of these, and another's in between takes its place: so it counts as open until it ends, too.
 */
class WholeStatements extends PGlite {
  #isMidway = false;

  override isInTransaction(): boolean {
    return this.#isMidway || super.isInTransaction();
  }

  override execProtocolRawStream(...[message, options]: Parameters<PGlite["execProtocolRawStream"]>): Promise<void> {
    this.#isMidway = MIDWAY.has(String.fromCharCode(message[0] ?? 0));
    return super.execProtocolRawStream(message, options);
  }
}

/**
 * Starts one with its data in memory. All connections share one session, and one transaction runs at a time: advisory
 * locks of a session keep nobody out, so migrations must not run side by side.
 */
export async function startPGlite(): Promise<PGliteServer> {
  const db = new WholeStatements();
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
