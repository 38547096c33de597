import type { LookupOutcome } from "@assay/fingerprint";
import { describe, expect, test } from "vitest";
import { checkApiKeys, type KeyTrial } from "./check-api-keys.ts";
import type { LookupSettings, Region } from "./settings.ts";

const SETTINGS: LookupSettings = { apiKeys: ["k1"], region: "us", rps: 5, burst: 15 };
const NOT_FOUND: LookupOutcome = { status: "not_found" };
const refused = (code: "wrong_region" | "subscription_not_active" | "other"): LookupOutcome => ({
  status: "refused",
  setting: "key",
  code,
});

/** A vendor that answers so, by the region asked. */
function aVendor(answer: (region: Region) => LookupOutcome) {
  const asked: string[] = [];
  const trial: KeyTrial = {
    takeTurn: async () => true,
    lookUp: async (apiKey, region) => {
      asked.push(`${apiKey} ${region}`);
      return answer(region);
    },
  };
  return { asked, trial };
}

describe("checkApiKeys", () => {
  test.each<[LookupOutcome, string, RegExp]>([
    [NOT_FOUND, "ok", /^$/],
    [{ status: "event", json: {} }, "ok", /^$/],
    [{ status: "throttled" }, "warn", /ASSAY_FINGERPRINT_RPS to it \(now 5\)/],
    [{ status: "unavailable", reason: "network" }, "fail", /reach Fingerprint's API by HTTPS/],
    [refused("subscription_not_active"), "fail", /renew the subscription/],
    [refused("other"), "fail", /what stands between/],
    [{ status: "refused", setting: "ruleset", code: "ruleset_not_found" }, "fail", /ASSAY_FINGERPRINT_RULESET_ID/],
  ])("judges %j", async (outcome, status, todo) => {
    const [finding] = await checkApiKeys(SETTINGS, aVendor(() => outcome).trial);
    expect(finding?.status).toBe(status);
    expect(finding?.do ?? "").toMatch(todo);
  });

  test("finds the region of a key in the wrong one", async () => {
    const { asked, trial } = aVendor((region) => (region === "ap" ? NOT_FOUND : refused("wrong_region")));
    expect(await checkApiKeys(SETTINGS, trial)).toMatchObject([
      { status: "fail", says: expect.stringContaining("it is one of ap"), do: "set ASSAY_FINGERPRINT_REGION=ap" },
    ]);
    expect(asked).toEqual(["k1 us", "k1 eu", "k1 ap"]);
  });

  test("shows a key to no other host than the operator's own", async () => {
    const { asked, trial } = aVendor(() => refused("wrong_region"));
    const own = { ...SETTINGS, apiUrl: "https://proxy.example" };
    expect(await checkApiKeys(own, trial)).toMatchObject([
      { status: "fail", do: expect.stringContaining("us, eu, ap") },
    ]);
    expect(asked).toEqual(["k1 us"]);
  });

  test("tries every key by itself, and none whose turn has not come", async () => {
    const { asked, trial } = aVendor(() => NOT_FOUND);
    const some = { ...trial, takeTurn: async () => asked.length === 0 };
    const findings = await checkApiKeys({ ...SETTINGS, apiKeys: ["k1", "k2"] }, some);
    expect(findings.map(({ status }) => status)).toEqual(["ok", "skip"]);
    expect(asked).toEqual(["k1 us"]);
  });

  test("never shows a key", async () => {
    const secret = "hunter2hunter2";
    for (const outcome of [NOT_FOUND, refused("other"), refused("wrong_region")]) {
      const findings = await checkApiKeys({ ...SETTINGS, apiKeys: [secret] }, aVendor(() => outcome).trial);
      expect(JSON.stringify(findings)).not.toContain(secret);
    }
  });
});
