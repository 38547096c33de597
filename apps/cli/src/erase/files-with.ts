import { stat } from "node:fs/promises";
import { join } from "node:path";
import { findRulesetsWith } from "@assay/archive";
import { readRulesetFiles } from "@assay/host/ruleset-files";
import { folderOf } from "../read-folder.ts";
import type { World } from "../report.ts";
import { spellingsOf } from "./find-all.ts";
import type { Ground } from "./ground.ts";

/** Files of rulesets that hold the subject's value, such as a list of users, and archived rulesets that did. */
export async function filesWith(
  { subject, archive }: Ground,
  options: { readonly rulesets?: string },
  world: World,
): Promise<string[]> {
  const folder = folderOf(options, world);
  const isThere = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const texts = isThere ? await readRulesetFiles(folder) : new Map<string, string>();
  const wanted = new Set(spellingsOf(subject));
  const words = (text: string) => text.split(/[\s,;"'[\]]+/);
  const held = [...texts].filter(([, text]) => words(text).some((word) => wanted.has(word)));
  const archived = archive === undefined ? [] : await findRulesetsWith(archive, [...wanted]);
  return [...held.map(([path]) => join(folder, path)), ...archived.map((digest) => `archived ruleset ${digest}`)];
}
