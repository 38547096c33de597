import { readFileSync } from "node:fs";
import { DEFAULT_TENANT, isSubmissionId, ROLES } from "@assay/protocol";
import { RulesetError } from "@assay/rules";
import { Command, CommanderError, Option } from "commander";
import { addBackfillCommand } from "./backfill-commands.ts";
import type { CommandTools } from "./command-tools.ts";
import { METRICS } from "./backtest/fail-if.ts";
import { checkRulesets, type CheckOptions } from "./check-rulesets.ts";
import { addDeadCommands } from "./dead-commands.ts";
import type { DoctorOptions } from "./doctor/practice.ts";
import { type DiffOptions, diffRulesets } from "./diff-rulesets.ts";
import { addEndpointsCommands } from "./endpoints-commands.ts";
import { addEraseCommands } from "./erase-commands.ts";
import { explainEvent, type ExplainEventOptions } from "./explain-event.ts";
import { explainVerdict, type ExplainVerdictOptions } from "./explain-verdict.ts";
import { faultJson, showFaults } from "./faults.ts";
import { listRulesets } from "./list-rulesets.ts";
import { hashKey, makeKey, type MakeKeyOptions } from "./make-key.ts";
import type { MigrateCommandOptions } from "./migrate.ts";
import { printFactsSchema, printRulesetSchema } from "./print-schema.ts";
import { CommandError, EXIT, type ExitCode, type Report, type World } from "./report.ts";
import { runVendor, type VendorOptions } from "./run-vendor.ts";
import { testRulesets } from "./test-rulesets.ts";
import { addVerdictsCommands } from "./verdicts-commands.ts";

/** What a run of the command leaves behind. */
export interface Run {
  readonly exitCode: ExitCode;
  readonly out: string;
  readonly err: string;
}

/** What the library writes of its own: help and complaints. */
interface Written {
  out: string;
  err: string;
}

interface FolderOptions {
  readonly rulesets?: string;
}

const EXIT_CODES = `
Exit codes:
  0  fine
  1  rulesets with errors, or with warnings under --strict, tests, checks or replays that failed, --fail-if that
     holds, or something that was not erased
  2  the command line, or a file it names, is wrong
  3  something was not found, cannot be read or cannot be reached, or is not decided yet`;

/** Runs one command line. Throws only for faults of its own. */
export async function run(args: readonly string[], world: World): Promise<Run> {
  const written = { out: "", err: "" };
  const isJson = args.includes("--json");
  try {
    const report = await reportOf(args, world, written);
    if (report === undefined) return { exitCode: EXIT.fine, ...written };
    const out = isJson ? JSON.stringify(report.json, null, 2) : report.text;
    return { exitCode: report.exitCode, out: `${out}\n`, err: "" };
  } catch (error) {
    if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? EXIT.fine : EXIT.usage, ...written };
    if (!(error instanceof CommandError)) throw error;
    const { exitCode, message } = error;
    if (isJson) return { exitCode, out: `${JSON.stringify({ error: message }, null, 2)}\n`, err: "" };
    return { exitCode, out: "", err: `${world.paint("red", "error:")} ${message}\n` };
  }
}

async function reportOf(args: readonly string[], world: World, written: Written): Promise<Report | undefined> {
  let report: Report | undefined;
  const program = createProgram(world, written, (made) => {
    report = made;
  });
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof RulesetError)) throw error;
    const { faults } = error;
    return {
      exitCode: EXIT.faulty,
      json: { faults: faults.map(faultJson) },
      text: showFaults(faults, world.paint),
    };
  }
  return report;
}

function createProgram(world: World, written: Written, finish: (report: Report) => void): Command {
  const program = new Command("assay")
    .description("Write rules for Assay, ask what it decided, and run an installation.")
    .version(readVersion())
    .addHelpText("after", EXIT_CODES)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => (written.out += text),
      writeErr: (text) => (written.err += text),
    });
  const rules = program.command("rules").description("what decides");
  const paths = "folders or files; the folder of rulesets when there are none";

  command(rules, "check")
    .description("load rulesets and show what is wrong with them")
    .argument("[paths...]", paths)
    .option("--strict", "let warnings fail, too")
    .action(async (given: string[], options: CheckOptions) => finish(await checkRulesets(given, options, world)));

  command(rules, "test")
    .description("run the tests that rulesets carry")
    .argument("[paths...]", paths)
    .action(async (given: string[], options: FolderOptions) => finish(await testRulesets(given, options, world)));

  command(rules, "explain")
    .description("show how every rule comes out for an event, or what a verdict kept of its rules")
    .argument("<what>", "a file with an event (Server API v4 or v3, or a webhook's body), or a submission id")
    .option("--ruleset <name>", "the ruleset to judge by; by default the one of the flow")
    .option("--flow <flow>", "the flow of the submission")
    .option("--context <file>", "a JSON file with the context of the submission")
    .option("--counter <name=number>", "the value of a counter; may be repeated", collect, [])
    .option("--check <name=value>", "the value of a check; checks that are not given are absent", collect, [])
    .option("--received-at <time>", "unix ms or an ISO time; by default the time of the event")
    .option("--url <url>", "address of an ingress, for a submission id (default: ASSAY_URL; the key is ASSAY_KEY)")
    .action(async (what: string, options: ExplainEventOptions & ExplainVerdictOptions) =>
      finish(await (isSubmissionId(what) ? explainVerdict : explainEvent)(what, options, world)),
    );

  rules
    .command("diff")
    .description("judge rows of the past by old and new rulesets, and tell what is answered otherwise")
    .argument("<old>", "a folder of rulesets, or the file of one that judges every row")
    .argument("<new>", "the same, changed")
    .option("--from <file>", "the rows: NDJSON, plain or gzip; - is stdin")
    .addOption(
      new Option("--since <time>", "rows of the archive (DATABASE_URL) from then on: 7d, unix ms or ISO").conflicts(
        "from",
      ),
    )
    .option("--until <time>", "rows of the archive before this time (default: now)")
    .option("--tenant <name>", `whose rows of the archive (default: "${DEFAULT_TENANT}")`)
    .option("--ruleset <name>", "the ruleset that judges every row; by default the one of its flow")
    .option("--fail-if <condition>", `exit with 1 if it holds, as in 'block_rate_delta > 0.01 || flips > 100'`)
    .option("--max-bad <number>", "bad lines that are left out; more end it", "100")
    .option("--examples <ids|full>", "what examples show: full shows visitors, contexts and values", "ids")
    .option(
      "--threads <number>",
      "threads that judge beside the first, up to 8 (default: with it, one for each processor)",
    )
    .addOption(new Option("--markdown", "print Markdown for a pull request").conflicts("json"))
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `\n--fail-if compares, by > >= < <= == !=, joined by && and ||:\n  ${METRICS.toSorted().join(" ")}`,
    )
    .addHelpText("after", EXIT_CODES)
    .action(async (oldPath: string, newPath: string, options: DiffOptions) =>
      finish(await diffRulesets(oldPath, newPath, options, world)),
    );

  command(rules, "list")
    .description("list rulesets and their rules")
    .action(async (options: FolderOptions) => finish(await listRulesets(options, world)));

  command(rules, "schema")
    .description("print the JSON Schema of a file, for editors")
    .argument("[kind]", "ruleset, part (a file that rulesets include) or routes", "ruleset")
    .action((kind: string) => finish(printRulesetSchema(kind)));

  command(program.command("facts").description("what backends send"), "schema")
    .description("print the JSON Schema of context.facts, as the rulesets declare them")
    .action(async (options: FolderOptions) => finish(await printFactsSchema(options, world)));

  command(program, "doctor")
    .description("check an installation and say what to do: run it with the environment of ingress and worker")
    .option("--tenant <name>", "one tenant alone")
    .option("--no-lookup", "ask Fingerprint nothing; else each API key is tried by one lookup")
    .action(async (options: DoctorOptions) => {
      // Loaded here, as no other command needs Redis.
      const { doctor } = await import("./doctor/doctor.ts");
      finish(await doctor(options, world, Date.now));
    });

  program
    .command("migrate")
    .description("make the tables of the archive in Postgres, or bring them up to date")
    .option("--dry-run", "only say what would be done")
    .option("--json", "print JSON")
    .addHelpText("after", `\nReads DATABASE_URL, or the file that DATABASE_URL_FILE names.\n${EXIT_CODES}`)
    .action(async (options: MigrateCommandOptions) => {
      // Loaded here, because no other command needs a client of Postgres's.
      const { migrate } = await import("./migrate.ts");
      finish(await migrate(options, world));
    });

  program
    .command("vendor")
    .description("stand in for Fingerprint's Server API on loopback, until it is interrupted")
    .option("--port <port>", "0 takes any", "8090")
    .option("--rps <number>", "requests a second that a key may make", "5")
    .option("--burst <number>", "requests that a key may make at once", "15")
    .option("--api-key <key>", "a key that it knows; may be repeated; without, it takes any", collect, [])
    .option("--events <file>", "the events that it knows, one a line: v4, v3 or webhooks")
    .option("--any", "invent an ordinary event for every id that it does not know, made when the id says")
    .addHelpText("after", EXIT_CODES)
    .action(async (options: VendorOptions) => finish(await runVendor(options, world)));
  const tools: CommandTools = { world, finish, command, plain };
  addKeys(program, tools);
  addVerdictsCommands(program, tools);
  addEndpointsCommands(program, tools);
  addDeadCommands(program, tools);
  addBackfillCommand(program, tools);
  addEraseCommands(program, tools);
  return program;
}

function addKeys(program: Command, { world, finish }: CommandTools): void {
  const keys = program.command("keys").description("what callers prove themselves with");
  plain(keys, "new")
    .description("make a secret, and the entry of ASSAY_KEYS_FILE that knows it by its hash")
    .requiredOption("--name <name>", "the caller; keys of one name share their submissions")
    .option("--tenant <tenant>", "whose key it is", DEFAULT_TENANT)
    .option("--role <role>", `one of ${ROLES.join(", ")}; may be repeated (default: submit and read)`, collect)
    .action((options: MakeKeyOptions) => finish(makeKey(options, world)));

  plain(keys, "hash")
    .description("print the SHA-256 of the secret on standard input")
    .action(async () => finish(await hashKey(world)));
}

function command(parent: Command, name: string): Command {
  return plain(parent, name).option(
    "--rulesets <folder>",
    "the folder of rulesets (default: ASSAY_RULESETS, or ./rulesets)",
  );
}

function plain(parent: Command, name: string): Command {
  return parent.command(name).option("--json", "print JSON").addHelpText("after", EXIT_CODES);
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function readVersion(): string {
  const manifest: { version?: unknown } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return String(manifest.version);
}
