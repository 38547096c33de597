import type { Command } from "commander";
import type { Report, World } from "./report.ts";

/** What commands are made with. */
export interface CommandTools {
  readonly world: World;
  readonly finish: (report: Report) => void;
  /** A command with `--json`, which tells its exit codes. */
  readonly plain: (parent: Command, name: string) => Command;
  /** The same with `--rulesets`. */
  readonly command: (parent: Command, name: string) => Command;
}
