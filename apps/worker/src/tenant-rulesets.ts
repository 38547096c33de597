import type { Logger } from "@assay/host";
import type { TenantConfig } from "./config.ts";
import { RulesetsUnusableError } from "./load-tested.ts";
import type { WorkerMetrics } from "./metrics.ts";
import { followRulesets, type Rulesets } from "./rulesets.ts";

/** The rulesets of every tenant. Those of one folder are loaded once, whoever decides by them. */
export interface TenantRulesets {
  /** Throws for a tenant that is not configured. */
  of(tenant: string): Rulesets;
  /** What `/readyz` says of them. */
  report(): { rulesets: string; ruleset_reload: string };
  /** Resolves when no folder is read any more. Safe to call twice. */
  stop(): Promise<void>;
}

export interface TenantRulesetsOptions {
  readonly tenants: readonly Pick<TenantConfig, "name" | "rulesetsFolder">[];
  readonly logger: Logger;
  readonly metrics: Pick<WorkerMetrics, "rulesetInfo" | "rulesetReloadFailures">;
  /** Unix ms. */
  readonly now: () => number;
  /** Resolves after this time, or early when the signal aborts. */
  readonly delay: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

interface Followed {
  readonly tenants: readonly string[];
  readonly rulesets: Rulesets;
}

/** Follows every folder. Throws a RulesetsUnusableError with the faults of all folders; then none is followed. */
export async function followTenantRulesets(options: TenantRulesetsOptions): Promise<TenantRulesets> {
  const { tenants: configured, ...rest } = options;
  const folders = new Set(configured.map(({ rulesetsFolder }) => rulesetsFolder));
  const followed: Followed[] = [];
  const unusable: RulesetsUnusableError[] = [];
  const stop = async () => void (await Promise.all(followed.map(({ rulesets }) => rulesets.stop())));
  for (const folder of folders) {
    const tenants = configured.filter(({ rulesetsFolder }) => rulesetsFolder === folder).map(({ name }) => name);
    try {
      followed.push({ tenants, rulesets: await followRulesets({ ...rest, folder, tenants }) });
    } catch (error) {
      if (!(error instanceof RulesetsUnusableError)) throw error;
      unusable.push(error);
    }
  }
  if (unusable.length > 0) {
    await stop();
    throw together(unusable);
  }
  return {
    of(tenant) {
      const found = followed.find(({ tenants }) => tenants.includes(tenant));
      if (found === undefined) throw new TypeError(`There is no tenant ${tenant} in the configuration.`);
      return found.rulesets;
    },
    report: () => reportOf(followed),
    stop,
  };
}

function together(errors: readonly RulesetsUnusableError[]): RulesetsUnusableError {
  const faults = errors.flatMap((error) => error.faults);
  return new RulesetsUnusableError(faults, { cause: errors[0], text: errors.map(({ text }) => text).join("\n") });
}

// Where there is one folder, no line speaks of tenants.
function reportOf(followed: readonly Followed[]): { rulesets: string; ruleset_reload: string } {
  const [only, ...others] = followed;
  if (only !== undefined && others.length === 0) return only.rulesets.report();
  const reports = followed.map(({ tenants, rulesets }) => ({ whose: tenants.join(", "), ...rulesets.report() }));
  const failed = reports.filter(({ ruleset_reload }) => ruleset_reload !== "ok");
  return {
    rulesets: reports.map(({ whose, rulesets }) => `${whose}: ${rulesets}`).join("; "),
    ruleset_reload: failed.length === 0 ? "ok" : failed.map((one) => `${one.whose}: ${one.ruleset_reload}`).join("; "),
  };
}
