import { hasVendorFacts, VENDOR_FACTS, vendorFile, vendorFiles } from "@assay/fingerprint/testing/vendor-facts";
import { isRecord } from "@assay/protocol";
import { loadRuleset, type Ruleset } from "@assay/rules";
import { describe, expect, test } from "vitest";

/** What Fingerprint's rule expressions and conditions write alike. */
const COMMON = [
  'bot in ["bad"] || incognito',
  "bot in ['bad', 'good'] && !vpn",
  'browser_details.os == "Linux"',
  "suspect_score > 10 && ip_info.v4.geolocation.country_code == 'CN'",
  "!(vpn || proxy) && suspect_score >= 3.5",
  "velocity.distinct_ip.24_hours > 3",
  "identification.confidence.score < 0.5",
  'vpn == true && bot != "good"',
  'vpn ? proxy : suspect_score > 5 || sdk.platform == "js"',
  "ip_blocklist.tor_node || ip_blocklist.attack_source",
];

describe("a rule expression of Fingerprint's", () => {
  test.each(COMMON)("loads as it is: %s", (expression) => {
    expect(load(expression).ruleIds).toEqual(["vendor"]);
  });
});

describe.skipIf(!hasVendorFacts)(`the ${VENDOR_FACTS}`, () => {
  test("hold no rule expression that does not load as it is", () => {
    const written = vendorFiles("examples/v4").flatMap((path) =>
      expressionsIn(JSON.parse(vendorFile(path).toString())),
    );
    expect(written.length).toBeGreaterThanOrEqual(2);
    expect(written.map((expression) => load(expression).ruleIds)).toEqual(written.map(() => ["vendor"]));
  });
});

function load(expression: string): Ruleset {
  const rule = { id: "vendor", when: expression, action: "block" };
  return loadRuleset(JSON.stringify({ ruleset: "vendor", rules: [rule] }), { file: "vendor.yaml" });
}

function expressionsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(expressionsIn);
  if (!isRecord(value)) return [];
  const { rule_expression: expression, ...rest } = value;
  return [...(typeof expression === "string" ? [expression] : []), ...Object.values(rest).flatMap(expressionsIn)];
}
