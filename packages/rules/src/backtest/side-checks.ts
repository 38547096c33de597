import type { Checks } from "@assay/protocol";
import type { Ruleset } from "../ruleset.ts";
import type { Settings } from "../ruleset/settings.ts";
import { CHECKS_BY_SETTINGS, judgeBySettings } from "../verdict/checks.ts";
import type { BacktestRow } from "./backtest-row.ts";

/**
 * The checks of a row as a ruleset judges them: those that hang on its settings anew, and the others as they were judged
 * then. Where a row does not hold what that takes, these are as they were, too.
 */
export function checksBy(ruleset: Ruleset, row: BacktestRow): Checks {
  const { settings } = ruleset;
  const { kind, event, context, receivedAt, checks: then } = row;
  const maxEventAgeMs = ruleset.maxEventAgeMs(context.flow);
  const judged = judgeBySettings({ kind, event, context, receivedAt, settings, maxEventAgeMs });
  let checks = then;
  for (const name of CHECKS_BY_SETTINGS) {
    const value = isJudged(name, judged, { settings, row }) ? judged[name] : then[name];
    if (value === checks[name]) continue;
    if (checks === then) checks = { ...then };
    if (value === undefined) delete checks[name];
    else checks[name] = value;
  }
  return checks;
}

/** Whether what was judged stands, though it be absent. A list that is empty is judged by none. */
function isJudged(
  name: (typeof CHECKS_BY_SETTINGS)[number],
  judged: ReturnType<typeof judgeBySettings>,
  { settings, row }: { readonly settings: Settings; readonly row: BacktestRow },
): boolean {
  switch (name) {
    case "stale":
      return row.isArrivalKnown;
    case "origin_not_allowed":
      return judged[name] !== undefined || settings.allowedOrigins.length === 0;
    case "app_not_allowed":
      return judged[name] !== undefined || settings.allowedApps.length === 0;
    case "environment_not_allowed":
      return judged[name] !== undefined || settings.allowedEnvironments.length === 0;
  }
}

/** Paths of the fields of an event that these settings are compared with, besides its time. */
export function fieldsOfSettings({ allowedOrigins, allowedApps, allowedEnvironments }: Settings): string[] {
  return [
    ...(allowedOrigins.length === 0 ? [] : ["sdk.platform", "url"]),
    ...(allowedApps.length === 0 ? [] : ["sdk.platform", "bundle_id", "package_name"]),
    ...(allowedEnvironments.length === 0 ? [] : ["environment_id"]),
  ];
}

/** Whether every row has the same checks by both settings. */
export function isSameForChecks(a: Settings, b: Settings): boolean {
  return textOf(a) === textOf(b);
}

function textOf({ maxEventAgeMs, maxEventAgeMsByFlow, ...lists }: Settings): string {
  const { allowedOrigins, allowedApps, allowedEnvironments } = lists;
  return JSON.stringify([maxEventAgeMs, [...maxEventAgeMsByFlow], allowedOrigins, allowedApps, allowedEnvironments]);
}
