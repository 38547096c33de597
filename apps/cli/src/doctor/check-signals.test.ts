import { loadRuleset } from "@assay/rules";
import { describe, expect, test } from "vitest";
import { aTenant } from "../../test/a-tenant.ts";
import { checkSignals } from "./check-signals.ts";

const ruleset = loadRuleset(
  `ruleset: default
rules:
  - { id: hidden, when: vpn || proxy, score: 1 }
  - { id: jailed, when: jailbroken, score: 1 }
`,
  { file: "default.yaml" },
);

function judge(platforms: Record<string, number>, ...signals: string[]) {
  const seen = (name: string, count = 1) => ({ name, lastAt: 1, count });
  const platform = Object.entries(platforms).map(([name, count]) => seen(name, count));
  const { sightings } = aTenant({ seen: { platform, signal: signals.map((name) => seen(name)) } });
  return checkSignals(sightings, [ruleset]).map(({ status, says }) => `${status}: ${says}`);
}

describe("checkSignals", () => {
  test("asks of each platform what it can have", () => {
    expect(judge({ js: 30, ios: 20 }, "js/vpn", "js/proxy", "ios/vpn", "ios/proxy")).toEqual([
      "ok: All 2 signals that rules need were seen in 30 events of browsers",
      "warn: Rules need what none of 20 events of iOS had: jailbroken (jailed)",
    ]);
  });

  test("names who needs what was never seen", () => {
    expect(judge({ js: 30 }, "js/vpn", "ios/proxy")).toEqual([
      "warn: Rules need what none of 30 events of browsers had: proxy (hidden)",
    ]);
  });

  test("judges by no fewer than twenty events", () => {
    expect(judge({ js: 19, android: 3 })).toEqual([expect.stringMatching(/^skip: Fewer than 20/)]);
  });
});
