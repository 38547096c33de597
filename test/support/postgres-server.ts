import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { eventually } from "./eventually.ts";
import { findPostgresFolder, startPostgresProcess } from "./postgres-process.ts";
import type { PrivatePostgres } from "./private-postgres.ts";

const postgresFolder = findPostgresFolder();

/**
 * Why tests on a Postgres are skipped here; undefined where there is one. They ask by `describe.skipIf`, and the run
 * says why.
 */
export const withoutPostgres: string | undefined = await missing();

async function missing(): Promise<string | undefined> {
  if (postgresFolder !== undefined) return undefined;
  // Loaded here, because Docker's client is large and seldom needed.
  const { hasDocker } = await import("./postgres-container.ts");
  if (await hasDocker()) return undefined;
  const why = "Skipped: there is no postgres with its initdb here, and no Docker. script/setup installs one.";
  console.warn(why);
  return why;
}

/** Starts a private Postgres: a binary of this machine, else Docker. Resolves when it answers. */
export async function startPostgres(): Promise<PrivatePostgres> {
  if (postgresFolder !== undefined) return await startPostgresProcess(postgresFolder, untilReady);
  const { startPostgresContainer } = await import("./postgres-container.ts");
  return await startPostgresContainer(untilReady);
}

/** A new database for one test; returns its URL. */
export async function createDatabase({ url }: PrivatePostgres): Promise<string> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await ask(url, `CREATE DATABASE ${name}`);
  const made = new URL(url);
  made.pathname = `/${name}`;
  return made.href;
}

/** Asks a database once, over a connection of its own. */
export async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000, query_timeout: 10_000 });
  // The connection's failure also rejects the query, which is where it is judged.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function untilReady(url: string, gaveUp: AbortSignal): Promise<void> {
  await eventually(async () => gaveUp.aborted || (await ask(url, "SELECT 1")).length === 1, { timeoutMs: 60_000 });
}
