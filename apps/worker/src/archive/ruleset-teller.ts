import { createRateLimitedLog, type Logger } from "@assay/host";
import { isPassing, type ToldRuleset } from "@assay/ledger";
import type { Ruleset, RulesetFolder } from "@assay/rules";

/**
 * Puts the rulesets of a folder on their way into the archive, so that each can be loaded again by its digest. Resolves
 * when they are, or can never be, which is logged. Rejects with what passes by itself: then call it again.
 */
export type TellRulesets = (folder: RulesetFolder) => Promise<unknown>;

export interface RulesetTellerOptions {
  /** The script. */
  readonly tellRuleset: (ruleset: ToldRuleset) => Promise<"told" | "known" | "too_large">;
  readonly logger: Logger;
  /** Unix ms. */
  readonly now: () => number;
}

/** What the archive lost is told again, by whoever decides. */
const TELL_EVERY_MS = 3_600_000;

/** For one tenant. Whoever comes with a folder that was told before does not wait. */
export function createRulesetTeller(options: RulesetTellerOptions): TellRulesets {
  const { tellRuleset, logger, now } = options;
  const log = createRateLimitedLog({ logger, now });
  const told = new WeakMap<RulesetFolder, { readonly at: number; readonly telling: Promise<unknown> }>();

  async function tell(folder: RulesetFolder, ruleset: Ruleset): Promise<void> {
    const { digest, name, engine } = ruleset;
    try {
      const files = Object.fromEntries(filesOf(folder, ruleset));
      const row = { digest, name, engine, files, loadedAt: now() };
      if ((await tellRuleset(row)) !== "too_large") return;
      logger.warn({ ruleset: name, digest }, "a ruleset is too large to be archived: its lists, most likely");
    } catch (error) {
      if (error instanceof Error && isPassing(error)) throw error;
      // Verdicts are worth more.
      log.error({ err: error, ruleset: name, digest }, "a ruleset cannot be put on its way into the archive");
    }
  }

  return (folder) => {
    const last = told.get(folder);
    if (last !== undefined && now() - last.at < TELL_EVERY_MS) return last.telling;
    const begun = Promise.all(folder.all.map((ruleset) => tell(folder, ruleset)));
    begun.catch(() => told.delete(folder));
    const telling = last?.telling ?? begun;
    told.set(folder, { at: now(), telling });
    return telling;
  };
}

/** All that is needed to load a ruleset again and to judge its candidate beside it, its own file first. */
function filesOf(folder: RulesetFolder, ruleset: Ruleset): Map<string, string> {
  return new Map([...ruleset.files, ...(folder.candidateOf(ruleset)?.files ?? [])]);
}
