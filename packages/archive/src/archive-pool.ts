import { Client, type ClientBase, type ClientConfig, Pool, type QueryResultRow } from "pg";
import { archiveErrorOf } from "./archive-error.ts";

export interface ArchivePoolOptions {
  /** `postgres://…`, as `DATABASE_URL` has it, or what tells it: asked for each connection. */
  readonly connectionString: string | (() => string);
  /** Connections at most; 4 when absent. */
  readonly maxConnections?: number;
  /** How long a connection or one statement may take; 10 s when absent. */
  readonly timeoutMs?: number;
}

/** Connections to the archive, opened when they are needed. */
export interface ArchivePool {
  /** Rows of one statement. Throws an ArchiveError. */
  query<Row extends QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Runs `act` in one transaction. After an error nothing of it has happened, unless it was the commit that went unanswered. Throws an ArchiveError. */
  transaction<Answer>(act: (client: ClientBase) => Promise<Answer>): Promise<Answer>;
  /** Ends when every connection is closed. May be called twice. */
  stop(): Promise<void>;
}

const TIMEOUT_MS = 10_000;

/** Connects to nothing yet. */
export function createArchivePool(options: ArchivePoolOptions): ArchivePool {
  const { connectionString, timeoutMs = TIMEOUT_MS } = options;
  const pool = new Pool({
    Client: typeof connectionString === "string" ? clientOf(() => connectionString) : clientOf(connectionString),
    max: options.maxConnections ?? 4,
    connectionTimeoutMillis: timeoutMs,
    application_name: "assay",
    // The server's own limit first, so that it does not go on with what nobody waits for.
    statement_timeout: timeoutMs,
    query_timeout: timeoutMs + 1_000,
    keepAlive: true,
  });
  // A connection may break while nobody waits for an answer on it: whoever uses it next is told, or gets a new one.
  pool.on("connect", (client) => client.on("error", () => undefined));
  pool.on("error", () => undefined);
  let stopping: Promise<void> | undefined;

  return {
    async query<Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []) {
      try {
        return (await pool.query<Row>(sql, [...values])).rows;
      } catch (error) {
        throw archiveErrorOf(error);
      }
    },
    async transaction(act) {
      try {
        const client = await pool.connect();
        try {
          await client.query("BEGIN");
          const answer = await act(client);
          await client.query("COMMIT");
          client.release();
          return answer;
        } catch (error) {
          // Closing undoes what was begun, whatever state the connection is in.
          client.release(true);
          throw error;
        }
      } catch (error) {
        throw archiveErrorOf(error);
      }
    },
    async stop() {
      stopping ??= pool.end();
      await stopping;
    },
  };
}

/** A client of the address of now: a pool itself keeps the one that it began with. */
function clientOf(addressOfNow: () => string): new (config?: ClientConfig) => Client {
  return class extends Client {
    constructor(config?: ClientConfig) {
      super({ ...config, connectionString: addressOfNow() });
    }
  };
}
