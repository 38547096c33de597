import { createHash } from "node:crypto";
import { basename } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Logger } from "@assay/host";
import { readRulesetFiles } from "@assay/host/ruleset-files";
import { DEFAULT_TENANT } from "@assay/protocol";
import type { RulesetFolder } from "@assay/rules";
import { lineOf, loadTested, RulesetsUnusableError } from "./load-tested.ts";
import type { WorkerMetrics } from "./metrics.ts";

/** The rulesets to decide by, which follow their folder. */
export interface Rulesets {
  /** A snapshot that never changes. Whoever judges takes one for all that belongs together. */
  current(): RulesetFolder;
  /** What `/readyz` says of them. */
  report(): { rulesets: string; ruleset_reload: string };
  /** Resolves when the folder is no longer read. Safe to call twice. */
  stop(): Promise<void>;
}

export interface RulesetsOptions {
  readonly folder: string;
  /** Those who decide by them, for the metrics; default the one tenant there is. */
  readonly tenants?: readonly string[];
  readonly logger: Logger;
  readonly metrics: Pick<WorkerMetrics, "rulesetInfo" | "rulesetReloadFailures">;
  /** Unix ms. */
  readonly now: () => number;
  /** Resolves after this time, or early when the signal aborts. */
  readonly delay: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** Default 2000. */
  readonly intervalMs?: number;
}

/** What the folder held at one look. */
interface Content {
  readonly digest: string;
  /** Rejects with a RulesetsUnusableError. */
  load(): Promise<RulesetFolder>;
}

// A file that is being written has another content a moment later.
const SETTLES_WITHIN_MS = 200;

/**
 * Loads the rulesets and takes every later content of the folder that loads and passes its own tests, whole or not at
 * all. Contents are compared, not file times: Kubernetes swaps a symlink. One that cannot be used changes nothing, and
 * is logged and counted once. Throws a RulesetsUnusableError when the first content cannot be used.
 */
export async function followRulesets(options: RulesetsOptions): Promise<Rulesets> {
  const { logger, delay, intervalMs = 2000 } = options;
  const stopping = new AbortController();
  const first = await look(options);
  let seen = first.digest;
  let current = await first.load();
  let failure: { readonly at: string; readonly faults: readonly string[] } | undefined;
  warn(logger, current);
  const info = showInfo(options);
  info(current);

  async function take(content: Content): Promise<void> {
    try {
      const loaded = await content.load();
      if (loaded.digest !== current.digest) warn(logger, loaded);
      current = loaded;
      failure = undefined;
      info(current);
      logger.info({ rulesets: current.all.map(({ name, digest }) => ({ name, digest })) }, "took the changed rulesets");
    } catch (error) {
      const faults = error instanceof RulesetsUnusableError ? error.faults : [String(error)];
      failure = { at: new Date(options.now()).toISOString(), faults };
      options.metrics.rulesetReloadFailures.inc();
      logger.error({ faults }, "the changed rulesets cannot be used: deciding by the last good ones");
    }
  }

  async function follow(signal: AbortSignal): Promise<void> {
    for (;;) {
      await delay(intervalMs, signal);
      if (signal.aborted) return;
      const content = await look(options);
      if (content.digest === seen) continue;
      await delay(SETTLES_WITHIN_MS, signal);
      if (signal.aborted) return;
      if ((await look(options)).digest !== content.digest) continue;
      seen = content.digest;
      await take(content);
    }
  }

  const following = follow(stopping.signal);
  return {
    current: () => current,
    report: () => ({
      rulesets: current.all.map(({ name, digest, origin }) => `${name} ${digest} (${basename(origin)})`).join(", "),
      ruleset_reload:
        failure === undefined
          ? "ok"
          : `failed at ${failure.at}, deciding by the last good ones: ${failure.faults.join("; ")}`,
    }),
    stop() {
      stopping.abort();
      return following;
    },
  };
}

async function look({ folder, now }: RulesetsOptions): Promise<Content> {
  try {
    const files = await readRulesetFiles(folder);
    return { digest: await digestOf(files), load: () => loadTested(files, { folder, now: now() }) };
  } catch (cause) {
    const unusable = new RulesetsUnusableError([cause instanceof Error ? cause.message : String(cause)], { cause });
    return {
      digest: unusable.message,
      load: () => Promise.reject(unusable),
    };
  }
}

// A folder may hold 64 MiB, and is looked at every two seconds: between its files the process goes on with its work.
async function digestOf(files: ReadonlyMap<string, string>): Promise<string> {
  const hash = createHash("sha256");
  for (const [path, text] of files) {
    await setImmediate();
    hash.update(`${path}\0${text.length}\0`).update(text);
  }
  return hash.digest("base64");
}

function warn(logger: Logger, { warnings }: RulesetFolder): void {
  if (warnings.length > 0) logger.warn({ warnings: warnings.map(lineOf) }, "the rulesets load, but deserve a look");
}

/** Shows what is loaded in place of what was. Other folders have lines of their own: each tenant has one folder. */
function showInfo({ metrics, tenants = [DEFAULT_TENANT] }: RulesetsOptions): (folder: RulesetFolder) => void {
  let shown: { name: string; digest: string; origin: string; tenant: string }[] = [];
  return ({ all }) => {
    for (const labels of shown) metrics.rulesetInfo.remove(labels);
    shown = tenants.flatMap((tenant) =>
      all.map(({ name, digest, origin }) => ({ name, digest, origin: basename(origin), tenant })),
    );
    for (const labels of shown) metrics.rulesetInfo.set(labels, 1);
  };
}
