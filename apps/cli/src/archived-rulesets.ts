import type { ArchiveReader } from "@assay/archive";
import { loadRuleset, type Ruleset, RulesetError } from "@assay/rules";

/** A ruleset of the archive, or why there is none. */
export type ArchivedRuleset =
  | { readonly ok: true; readonly ruleset: Ruleset }
  | { readonly ok: false; readonly why: string };

/** Loads rulesets that the archive holds, by their digests, each once. */
export function createArchivedRulesets(archive: Pick<ArchiveReader, "ruleset">) {
  const known = new Map<string, Promise<ArchivedRuleset>>();
  return (digest: string): Promise<ArchivedRuleset> => {
    const loading = known.get(digest) ?? load(archive, digest);
    known.set(digest, loading);
    return loading;
  };
}

// A part begins with _, and a list ends otherwise. The candidate may be kept too: the ruleset's own file is the first.
const OWN_FILE = /^[^_/][^/]*\.ya?ml$/;

async function load(archive: Pick<ArchiveReader, "ruleset">, digest: string): Promise<ArchivedRuleset> {
  const kept = await archive.ruleset(digest);
  if (kept === undefined) return { ok: false, why: `the ruleset ${digest} is not in the archive` };
  const file = Object.keys(kept.files).find((path) => OWN_FILE.test(path));
  const text = file === undefined ? undefined : kept.files[file];
  if (file === undefined || text === undefined)
    return { ok: false, why: `the ruleset ${digest} is kept without its file` };
  try {
    return { ok: true, ruleset: loadRuleset(text, { file, files: new Map(Object.entries(kept.files)) }) };
  } catch (error) {
    if (!(error instanceof RulesetError)) throw error;
    return { ok: false, why: `the ruleset ${digest} (${kept.engine}) does not load by this version: ${error.message}` };
  }
}
