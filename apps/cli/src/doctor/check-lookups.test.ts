import type { SeenMinute } from "@assay/ledger";
import { describe, expect, test } from "vitest";
import { checkLookups } from "./check-lookups.ts";

const NOW = 1_795_000_020_000;
const NOTHING = /^$/;
const settings = { rps: 5, apiKeys: ["k1"] };
const judge = (counts: SeenMinute["counts"], apiKeys = settings.apiKeys) =>
  checkLookups({ ...settings, apiKeys }, [{ at: NOW - 20_000, counts }], NOW);

describe("checkLookups", () => {
  test.each<[string, SeenMinute["counts"], string, RegExp, RegExp]>([
    ["no lookups", {}, "ok", /No event was looked up/, NOTHING],
    ["room", { asked: 60, lookup_verdicts: 60 }, "ok", /^Asked: 1\/s of 5\/s in the busiest/, NOTHING],
    ["little room", { asked: 290, lookup_verdicts: 60 }, "warn", /^Near the limit: 4.8\/s of 5\/s/, /webhooks/],
    [
      "no turn in time",
      { asked: 300, lookup_verdicts: 400, lookup_saturated: 100 },
      "warn",
      /^25 % of event ids had no turn in time/,
      /sealed_result.*ASSAY_WEBHOOK_SECRETS.*ASSAY_FINGERPRINT_RPS/,
    ],
    [
      "no answer",
      { asked: 10, lookup_verdicts: 10, lookup_unavailable: 5 },
      "warn",
      /^50 % .* got no answer/,
      /api_keys/,
    ],
    [
      "throttling",
      { asked: 100, lookup_verdicts: 90, throttled: 10, lookup_saturated: 5 },
      "warn",
      /^Fingerprint throttled 10 % of the lookups/,
      /below ASSAY_FINGERPRINT_RPS=5.*lower it/,
    ],
  ])("tells %s", (_, counts, status, says, todo) => {
    const finding = judge(counts);
    expect([finding.status, finding.says]).toEqual([status, expect.stringMatching(says)]);
    expect(finding.do ?? "").toMatch(todo);
  });

  test("adds up the rates of several keys", () => {
    expect(judge({ asked: 290, lookup_verdicts: 290 }, ["k1", "k2"])).toMatchObject({
      status: "ok",
      says: expect.stringContaining("4.8/s of 10/s"),
    });
  });
});
