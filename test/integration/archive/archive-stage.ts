import { migrateArchive } from "@assay/archive/migrate";
import type { RunningWorker, RunOptions } from "@assay/worker";
import { seal } from "@assay/fingerprint";
import { onTestFinished } from "vitest";
import { type AppProcess, startApp } from "../../support/app-process.ts";
import { anEvent } from "../../support/events.ts";
import { ask, createDatabase } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";

/** Workers, and a database for their archive. Ends with its test. */
export interface ArchiveStage {
  readonly stack: WorkerStack;
  readonly url: string;
  migrate(): Promise<void>;
  /** A worker inside this process that archives and nothing else, or has these roles. */
  run(env?: Record<string, string>, timing?: RunOptions["archiveTiming"]): Promise<RunningWorker>;
  /** One that only decides, and knows of the archive. */
  score(env?: Record<string, string>): Promise<RunningWorker>;
  /** A process that archives and nothing else. */
  start(): Promise<AppProcess>;
  /** Hands in as many ordinary events; returns their ids. */
  submit(count: number): Promise<string[]>;
  rows(sql: string): Promise<Record<string, unknown>[]>;
  /** The ids of all archived verdicts, sorted. */
  archived(): Promise<unknown[]>;
  /** How many verdicts wait in the stream. */
  waiting(): Promise<number>;
  readyz(worker: RunningWorker): Promise<{ status: number; archive: unknown }>;
  /** The value of a metric without labels, or with these. */
  metric(worker: RunningWorker, name: string): Promise<number | undefined>;
}

/** Times that a test can wait for. */
const SOON = { takeoverAfterMs: 500, firstPauseMs: 20, longestPauseMs: 200, statementMs: 1_000, probeMs: 100 };

export async function openArchiveStage(
  server: PrivatePostgres,
  env: Record<string, string> = {},
): Promise<ArchiveStage> {
  const url = await createDatabase(server);
  const stack = await openWorkerStack({ env: { DATABASE_URL: url, LOG_VERDICTS: "none", ...env } });
  onTestFinished(() => stack.stop());
  const sealed = seal(anEvent(), stack.sealedKey);
  return {
    stack,
    url,
    migrate: async () => void (await migrateArchive({ connectionString: url })),
    run: (more = {}, timing = {}) =>
      stack.runWorker({ env: { ASSAY_WORKER_ROLES: "archive", ...more }, archiveTiming: { ...SOON, ...timing } }),
    score: (more = {}) => stack.runWorker({ env: { ASSAY_WORKER_ROLES: "score", ...more } }),
    async start() {
      const app = startApp("apps/worker/src/main.ts", { ...stack.env, ASSAY_WORKER_ROLES: "archive" });
      onTestFinished(() => app.stop());
      await app.line(({ msg }) => msg === "archiving");
      return app;
    },
    submit: (count) => Promise.all(Array.from({ length: count }, () => stack.submitSealed(sealed))),
    rows: (sql) => ask(url, sql),
    archived: async () => (await ask(url, 'SELECT id FROM assay.verdicts ORDER BY id COLLATE "C"')).map(({ id }) => id),
    async waiting() {
      const entries = await stack.redis.xrange(stack.keys.archive(), "-", "+");
      return entries.filter(([, fields]) => fields[0] === "v").length;
    },
    async readyz({ adminPort }) {
      const response = await fetch(`http://127.0.0.1:${adminPort}/readyz`);
      const { checks }: { checks: Record<string, unknown> } = JSON.parse(await response.text());
      return { status: response.status, archive: checks["archive"] };
    },
    async metric({ adminPort }, name) {
      const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
      const line = text
        .split("\n")
        .find((one) => one.startsWith(`assay_${name.replace("}", "")}`) && !one.startsWith("#"));
      return line === undefined ? undefined : Number(line.split(" ").at(-1));
    },
  };
}
