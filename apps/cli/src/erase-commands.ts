import type { Command } from "commander";
import type { CommandTools } from "./command-tools.ts";
import type { EraseOptions } from "./erase/erase.ts";
import type { ExportOptions } from "./erase/export.ts";

const READS = "\nReads REDIS_URL, ASSAY_PREFIX, ASSAY_RETENTION_DAYS, and DATABASE_URL where there is an archive.";

/** Adds `assay erase` and `assay export`. Their code is loaded when they run: no other command needs both stores. */
export function addEraseCommands(program: Command, { world, finish, plain }: CommandTools): void {
  ofSubject(plain(program, "erase"))
    .description("erase somebody wherever the installation keeps him, and print a receipt")
    .option("--rulesets <folder>", "where files of lists are looked into (default: ASSAY_RULESETS, or ./rulesets)")
    .option("--dry-run", "only count")
    .option("--yes", "do it")
    .addHelpText("after", READS)
    .action(async (options: EraseOptions) => {
      const { erase } = await import("./erase/erase.ts");
      finish(await erase(options, world));
    });
  ofSubject(plain(program, "export"))
    .description("print all that the installation knows of somebody, one thing a line")
    .option("--out <file>", "a new file for its owner alone, in the place of standard output")
    .addHelpText("after", READS)
    .action(async (options: ExportOptions) => {
      const { exportSubject } = await import("./erase/export.ts");
      const report = await exportSubject(options, world);
      if (report !== undefined) finish(report);
    });
}

function ofSubject(command: Command): Command {
  return command
    .option("--user <id>", "whom your backends call so")
    .option("--visitor <id>", "Fingerprint's visitor id")
    .option("--linked-id <id>", "the linked id of events")
    .option("--ip <address>", "one address, of callers and of events; of IPv6 exactly this one")
    .option("--reference <reference>", "an order or a session")
    .option("--tenant <name>", "whose; by default the only one");
}
