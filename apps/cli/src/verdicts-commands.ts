import { DEFAULT_TENANT, isSubmissionId } from "@assay/protocol";
import type { Command } from "commander";
import type { CommandTools } from "./command-tools.ts";
import { explainVerdict, type ExplainVerdictOptions, fetchVerdict } from "./explain-verdict.ts";
import { listVerdicts, type ListVerdictsOptions } from "./list-verdicts.ts";
import type { ReplayOptions } from "./replay-verdicts.ts";
import { CommandError, EXIT, type Report } from "./report.ts";
import { tailVerdicts, type TailVerdictsOptions } from "./tail-verdicts.ts";

/** Adds `assay verdicts`. */
export function addVerdictsCommands(program: Command, { world, finish, plain, command }: CommandTools): void {
  const verdicts = program.command("verdicts").description("what was decided");
  const finishIf = (report: Report | undefined) => report && finish(report);

  withUrl(plain(verdicts, "list"))
    .description("find verdicts in the archive, newest first, by filters that are all true")
    .option("--user-id <id>", "of this user")
    .option("--reference <reference>", "of this order or session")
    .option("--visitor-id <id>", "of this visitor")
    .option("--linked-id <id>", "with this linked id")
    .option("--event-id <id>", "on this event")
    .option("--action <action>", "that came to this action")
    .option("--rule <rule>", "for which this rule, or entry of integrity, fired")
    .option("--since <time>", "received from then on: 7d, unix ms or ISO")
    .option("--until <time>", "received before then")
    .option("--limit <number>", "verdicts of a page, at most 100")
    .option("--cursor <cursor>", "the page behind the one that ended with it")
    .option("--ndjson", "print all pages, a verdict a line")
    .action(async (options: ListVerdictsOptions) => finishIf(await listVerdicts(options, world)));

  withUrl(plain(verdicts, "show"))
    .description("print a verdict as it was published")
    .argument("<id>", "a submission id")
    .action(async (id: string, options: ExplainVerdictOptions) => {
      const verdict = await fetchVerdict(known(id), options, world);
      finish({ exitCode: EXIT.fine, json: verdict, text: JSON.stringify(verdict, null, 2) });
    });

  withUrl(command(verdicts, "explain"))
    .description("show which rules made a verdict, and on which values")
    .argument("<id>", "a submission id")
    .action(async (id: string, options: ExplainVerdictOptions) =>
      finish(await explainVerdict(known(id), options, world)),
    );

  plain(verdicts, "replay")
    .description("make verdicts once more from what the archive holds of them, and compare")
    .argument("[id]", "a submission id; or say --since")
    .option("--since <time>", "those received from then on: 1d, unix ms or ISO")
    .option("--until <time>", "those received before then")
    .option("--sample <number>", "as many of them, by chance")
    .option("--tenant <name>", "whose verdicts", DEFAULT_TENANT)
    .addHelpText(
      "after",
      "\nReads DATABASE_URL, or the file that DATABASE_URL_FILE names. Exits with 1 if a verdict differs by the same engine,\nand with 3 if one cannot be made any more because something is no longer kept.",
    )
    .action(async (id: string | undefined, options: ReplayOptions) => {
      // Loaded here, because few commands need a client of Postgres's.
      const { replayVerdicts } = await import("./replay-verdicts.ts");
      finish(await replayVerdicts(id === undefined ? undefined : known(id), options, world));
    });

  withUrl(plain(verdicts, "tail"))
    .description("show each verdict as it is made, until it is interrupted; with --json, one a line")
    .option("--filter <name=value>", "only this action, kind or flow; may be repeated", collect, [])
    .option("--flow <flow>", "only this flow; may be repeated", collect, [])
    .option("--test", "verdicts on test events, and no others")
    .action(async (options: TailVerdictsOptions) => finishIf(await tailVerdicts(options, world)));
}

function withUrl(command: Command): Command {
  return command.option("--url <url>", "address of an ingress (default: ASSAY_URL; the key is ASSAY_KEY)");
}

function known(id: string): string {
  if (isSubmissionId(id)) return id;
  throw new CommandError(EXIT.usage, `${id} is no submission id: those begin with s_, w_ or b_.`);
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
