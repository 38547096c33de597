import type { Sightings } from "@assay/ledger";
import { EVENT_FIELDS } from "@assay/protocol";
import type { Ruleset } from "@assay/rules";
import { showSome } from "./amounts.ts";
import type { Finding } from "./finding.ts";

const ENOUGH_EVENTS = 20;

const PLATFORMS = [
  { sdk: "js", platform: "browser", events: "events of browsers" },
  { sdk: "android", platform: "android", events: "events of Android" },
  { sdk: "ios", platform: "ios", events: "events of iOS" },
] as const;

/** Signals that rules need beside those that events of each platform have had. */
export function checkSignals({ seen }: Pick<Sightings, "seen">, rulesets: readonly Ruleset[]): Finding[] {
  const name = "signals";
  const needed = neededBy(rulesets);
  const present = new Set(seen.signal.map((signal) => signal.name));
  const findings = PLATFORMS.flatMap(({ sdk, platform, events }): Finding[] => {
    const count = seen.platform.find((one) => one.name === sdk)?.count ?? 0;
    if (count < ENOUGH_EVENTS) return [];
    const possible = [...needed].filter(([path]) => EVENT_FIELDS[path]?.platforms?.includes(platform) ?? true);
    const never = possible.filter(([path]) => !present.has(`${sdk}/${path}`));
    if (never.length === 0) {
      return [
        { name, status: "ok", says: `All ${possible.length} signals that rules need were seen in ${count} ${events}` },
      ];
    }
    const told = never.map(([path, rules]) => `${path} (${showSome(rules, 2)})`);
    return [
      {
        name,
        status: "warn",
        says: `Rules need what none of ${count} ${events} had: ${showSome(told, 8)}`,
        do: "activate these signals in your Fingerprint workspace, or send them, or switch the rules off: they are never judged there",
      },
    ];
  });
  if (findings.length > 0) return findings;
  return [
    {
      name,
      status: "skip",
      says: `Fewer than ${ENOUGH_EVENTS} events were seen of each platform, too few to judge by`,
    },
  ];
}

function neededBy(rulesets: readonly Ruleset[]): Map<string, string[]> {
  const needed = new Map<string, string[]>();
  for (const { signals } of rulesets) {
    for (const [path, names] of signals) needed.set(path, [...new Set([...(needed.get(path) ?? []), ...names])]);
  }
  return needed;
}
