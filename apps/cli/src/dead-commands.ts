import { DEFAULT_TENANT, LETTER_KINDS } from "@assay/protocol";
import { type Command, Option } from "commander";
import type { CommandTools } from "./command-tools.ts";
import type { ListOptions } from "./dead/list-letters.ts";
import type { PurgeOptions } from "./dead/purge-letters.ts";
import type { RedriveOptions } from "./dead/redrive-letters.ts";
import type { ShowOptions } from "./dead/show-letter.ts";

const ENVIRONMENT = "\nReads REDIS_URL and ASSAY_PREFIX, as ingress and worker do.\n";

/** Adds `assay dead`. What needs Redis is loaded when it is used. */
export function addDeadCommands(program: Command, { world, finish, plain }: CommandTools): void {
  const dead = program.command("dead").description("dead letters: what could not be opened, archived or delivered");
  const add = (name: string, description: string) =>
    plain(dead, name)
      .description(description)
      .option("--tenant <name>", "whose letters", DEFAULT_TENANT)
      .addHelpText("after", ENVIRONMENT);
  const kind = () => new Option("--kind <kind>", "only of this kind").choices(LETTER_KINDS);

  add("list", "list them, newest first")
    .addOption(kind())
    .option("--code <code>", "only with this code, as no_key_opens")
    .option("--limit <number>", "how many, up to 1000", "50")
    .option("--before <letter>", "only what comes behind this one in the list")
    .action(async (options: ListOptions) => {
      const { listLetters } = await import("./dead/list-letters.ts");
      finish(await listLetters(options, world));
    });

  add("show", "show one, without what may be personal")
    .argument("<letter>", "as the list names it: input/1764252565000-0")
    .option("--full", "with all that it holds: payload, context, verdict")
    .action(async (name: string, options: ShowOptions) => {
      const { showLetter } = await import("./dead/show-letter.ts");
      finish(await showLetter(name, options, world));
    });

  add("redrive", "do once more what they could not; each goes as soon as its work stands")
    .argument("[letters...]", "as the list names them")
    .addOption(kind())
    .option("--code <code>", "all with this code")
    .option("--dry-run", "only say which")
    .action(async (names: string[], options: RedriveOptions) => {
      const { redriveLetters } = await import("./dead/redrive-letters.ts");
      finish(await redriveLetters(names, options, world));
    });

  add("purge", "remove them for good")
    .argument("[letters...]", "as the list names them")
    .addOption(kind())
    .option("--code <code>", "all with this code")
    .option("--older-than <duration>", "all that were laid aside longer ago: 12h, 7d")
    .option("--all", "all of the tenant")
    .option("--yes", "do it; without, nothing is removed")
    .action(async (names: string[], options: PurgeOptions) => {
      const { purgeLetters } = await import("./dead/purge-letters.ts");
      finish(await purgeLetters(names, options, world));
    });
}
