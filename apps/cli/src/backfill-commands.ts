import { setTimeout } from "node:timers/promises";
import { DEFAULT_TENANT } from "@assay/protocol";
import type { Command } from "commander";
import type { CommandTools } from "./command-tools.ts";
import type { BackfillOptions } from "./backfill/backfill.ts";

const HELP = `
Run it with the environment of a worker, and DATABASE_URL. Times are unix ms, ISO times, or how long ago: 90m, 36h, 7d.
The same command line goes on where it was killed. Verdicts on backfilled events go to endpoints with backfilled: true.`;

/** Adds `assay backfill`. */
export function addBackfillCommand(program: Command, { world, finish, plain }: CommandTools): void {
  plain(program, "backfill")
    .description(
      "find events at Fingerprint that the archive has never seen, such as those of lost webhooks, and submit them",
    )
    .requiredOption("--since <time>", "from when on events were made")
    .option("--until <time>", "and before when (default: ten minutes ago)")
    .option("--tenant <name>", "whose events", DEFAULT_TENANT)
    .option("--dry-run", "submit nothing, and say how many are missing")
    .option("--restart", "begin anew, where an earlier run did not come to its end")
    .option("--no-progress", "show no progress")
    .addHelpText("after", HELP)
    .action(async (options: BackfillOptions) => {
      // Loaded here, as few commands need Redis and Postgres.
      const { backfill } = await import("./backfill/backfill.ts");
      finish(await backfill(options, { ...world, clock: Date.now, delay: (ms) => setTimeout(ms) }));
    });
}
