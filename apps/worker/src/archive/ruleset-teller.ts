import { createRateLimitedLog, type Logger } from "@assay/host";
import { tellRuleset } from "@assay/ledger";
import type { Keys } from "@assay/protocol";
import type { Ruleset, RulesetFolder } from "@assay/rules";
import type { Redis } from "ioredis";
import type { Rulesets } from "../rulesets.ts";

/** Puts the rulesets that decide on their way into the archive, so that each can be loaded again by its digest. */
export interface RulesetTeller {
  start(): void;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

export interface RulesetTellerOptions {
  readonly redis: Redis;
  readonly tenants: readonly { readonly keys: Keys; readonly rulesets: Pick<Rulesets, "current"> }[];
  readonly maxArchiveBytes: number;
  readonly logger: Logger;
  /** Unix ms. */
  readonly now: () => number;
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
}

const LOOK_EVERY_MS = 2_000;
/** What the archive lost is told again, by whoever decides. */
const TELL_EVERY_MS = 3_600_000;

export function createRulesetTeller(options: RulesetTellerOptions): RulesetTeller {
  const { redis, tenants, maxArchiveBytes, logger, now, delay } = options;
  const log = createRateLimitedLog({ logger, now });
  const told = new Map<Keys, { readonly folder: RulesetFolder; readonly at: number }>();
  const stopping = new AbortController();
  let running: Promise<void> | undefined;

  async function tell(keys: Keys, folder: RulesetFolder): Promise<void> {
    for (const ruleset of folder.all) {
      const { digest, name, engine } = ruleset;
      const files = Object.fromEntries(filesOf(folder, ruleset));
      const row = { digest, name, engine, files, loadedAt: now() };
      if ((await tellRuleset(redis, keys, row, maxArchiveBytes)) !== "too_large") continue;
      logger.warn({ ruleset: name, digest }, "a ruleset is too large to be archived: its lists, most likely");
    }
    told.set(keys, { folder, at: now() });
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      for (const { keys, rulesets } of tenants) {
        const [folder, last] = [rulesets.current(), told.get(keys)];
        if (last !== undefined && last.folder === folder && now() - last.at < TELL_EVERY_MS) continue;
        await tell(keys, folder).catch((error: unknown) => {
          log.warn({ err: error }, "rulesets are not on their way into the archive; it is tried again");
        });
      }
      await delay(LOOK_EVERY_MS, stopping.signal);
    }
  }

  return {
    start() {
      running ??= run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** All that is needed to load a ruleset again and to judge its candidate beside it, its own file first. */
function filesOf(folder: RulesetFolder, ruleset: Ruleset): Map<string, string> {
  return new Map([...ruleset.files, ...(folder.candidateOf(ruleset)?.files ?? [])]);
}
