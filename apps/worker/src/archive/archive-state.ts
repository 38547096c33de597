import { ArchiveError, type ArchivePool, pendingMigrations } from "@assay/archive";
import type { Logger } from "@assay/host";
import type { WorkerMetrics } from "../metrics.ts";

const STATES = ["working", "unmigrated", "away"] as const;

type State = (typeof STATES)[number];

/** Whether the archive can be used, as this process sees it. A change is logged once. */
export interface ArchiveState {
  /** What `/readyz` says. */
  report(): string;
  /** Postgres took what it was given. */
  works(): void;
  /** It did not. Only what it takes the next time tells that it works again. */
  failed(error: unknown): void;
  /** Asks Postgres, as it may be given nothing for long. Never rejects. */
  probe(): Promise<void>;
}

export interface ArchiveStateOptions {
  readonly pool: ArchivePool;
  readonly metrics: Pick<WorkerMetrics, "archiveState">;
  readonly logger: Logger;
}

const ADVICE = "The archive is not migrated. Run: assay migrate";

export function createArchiveState({ pool, metrics, logger }: ArchiveStateOptions): ArchiveState {
  let state: State | undefined;
  let said = "not asked yet";
  let hasFailed = false;

  /** Whether this is news. */
  function change(next: State, report: string): boolean {
    said = report;
    if (next === state) return false;
    state = next;
    for (const each of STATES) metrics.archiveState.set({ state: each }, each === state ? 1 : 0);
    return true;
  }

  function works(): void {
    if (change("working", "ok")) logger.info("the archive takes verdicts");
  }

  function fails(error: unknown): void {
    if (error instanceof ArchiveError && error.isUnmigrated) tellUnmigrated();
    else if (change("away", error instanceof Error ? error.message : String(error))) {
      logger.warn({ err: error }, "verdicts wait in Redis, as the archive takes none");
    }
  }

  function tellUnmigrated(): void {
    if (change("unmigrated", ADVICE)) logger.error(`verdicts wait in Redis. ${ADVICE}`);
  }

  return {
    report: () => said,
    works() {
      hasFailed = false;
      works();
    },
    failed(error) {
      hasFailed = true;
      fails(error);
    },
    async probe() {
      try {
        if ((await pendingMigrations(pool)).length > 0) tellUnmigrated();
        // A Postgres that answers may still take nothing, such as one that is read-only.
        else if (!hasFailed) works();
      } catch (error) {
        fails(error);
      }
    },
  };
}
