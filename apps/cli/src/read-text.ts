import { readFile } from "node:fs/promises";
import { CommandError, EXIT } from "./report.ts";

/** A file that the command line names. Throws a CommandError. */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new CommandError(EXIT.unavailable, `${path} cannot be read: ${whyOf(error)}.`, { cause: error });
  }
}

/** The JSON of a text that stands at `place`, a file or a line of one. Throws a CommandError. */
export function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandError(EXIT.usage, `${place} is not JSON: ${whyOf(error)}.`, { cause: error });
  }
}

function whyOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
