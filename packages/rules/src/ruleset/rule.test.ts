import { describe, expect, test } from "vitest";
import { briefFaultsOf, rulesetOf } from "../../test/build.ts";
import { loadRuleset } from "../index.ts";

const rule = (line: string) => `ruleset: test\nrules:\n  - id: it\n    when: vpn\n    score: 1\n    ${line}\n`;

describe("readRule", () => {
  test.each([
    ["mode: shadw", "6:11 mode must be one of live, shadow, off. Did you mean shadow?"],
    ["except: vpm", "6:13 vpm is not a known name. Did you mean vpn?"],
    ["rollout: 10", "6:14 rollout must be a share of the visitors from 0% to 100%, such as 10% or 0.5%."],
    ["rollout: 101%", "6:14 rollout must be a share"],
    ["rollout: -1%", "6:14 rollout must be a share"],
    ["owner: ''", "6:12 owner must be one line of at most 256 characters."],
    ["review_by: 2027-02-29", "6:16 review_by must be a day, such as 2027-03-01."],
    ["review_by: next year", "6:16 review_by must be a day"],
    ["tags: vip", "6:11 tags must be a list."],
    [`tags: [${"t,".repeat(17)}]`, "6:11 A rule may have at most 16 tags."],
    [`tags: [${"t".repeat(65)}]`, "6:12 A tag is one line of at most 64 characters."],
    ["exept: vpn", "6:5 exept is not known in a rule. Did you mean except?"],
    ["when_unknown: allow", "6:19 when_unknown must be one of skip, challenge, review, block."],
  ])("refuses %s", (line, fault) => {
    expect(briefFaultsOf(rule(line)).join("\n")).toContain(fault);
  });

  test("tells what each rule says of itself, in the order of the file", () => {
    const { rules } = rulesetOf(
      "rules:",
      "  - id: b",
      "    when: vpn",
      "    except: proxy",
      "    action: block",
      "    message: Hidden",
      "    when_unknown: review",
      "    mode: shadow",
      "    rollout: 2.5%",
      "    owner: ann@example.com",
      "    review_by: 2028-02-29",
      "    tags: [network, new]",
      "  - { id: a, when: proxy, score: -5 }",
    );
    expect(rules).toEqual([
      {
        id: "b",
        action: "block",
        message: "Hidden",
        whenUnknown: "review",
        mode: "shadow",
        rolloutPercent: 2.5,
        owner: "ann@example.com",
        reviewBy: "2028-02-29",
        tags: ["network", "new"],
        file: "test.yaml",
        line: 3,
      },
      { id: "a", score: -5, whenUnknown: "skip", mode: "live", tags: [], file: "test.yaml", line: 14 },
    ]);
  });

  test.each([
    ["2026-11-22T23:59:59.999Z", 0],
    ["2026-11-23T00:00:00.000Z", 1],
  ])("warns at %s of %d rules whose day of review is over", (time, count) => {
    const now = Date.parse(time);
    const { warnings } = loadRuleset(rule("review_by: 2026-11-22"), { file: "test.yaml", now });
    const overdue = warnings.filter(({ message }) => message.startsWith("This day is over"));
    expect(overdue.map(({ line, column }) => `${line}:${column}`)).toEqual(Array(count).fill("6:16"));
  });

  test.each([
    ["vpn", "vpn", "!(vpn) can never be true here, because of vpn."],
    ['bot == "bad"', 'proxy || bot != "good"', "can never be false here"],
    ["emulator", "incognito", "this can never be known"],
  ])("refuses the rule that asks %s except %s", (when, except, fault) => {
    const text = `ruleset: test\nrules:\n  - id: it\n    when: ${when}\n    except: ${except}\n    action: block\n`;
    expect(briefFaultsOf(text)).toEqual([expect.stringMatching(/^5:13 Beside when: /)]);
    expect(briefFaultsOf(text)).toEqual([expect.stringContaining(fault)]);
  });

  test.each(["mode: shadow", "except: proxy", "rollout: 10%", "rollout: 100%", "when_unknown: block", "message: x"])(
    "puts %s into the digest",
    (line) => {
      const digestOf = (text: string) => loadRuleset(text, { file: "test.yaml" }).digest;
      expect(digestOf(rule(line))).not.toBe(digestOf(rule("")));
    },
  );

  test.each(["owner: ann", "review_by: 2027-03-01", "tags: [a]", "mode: live", "when_unknown: skip"])(
    "keeps %s out of the digest",
    (line) => {
      const digestOf = (text: string) => loadRuleset(text, { file: "test.yaml" }).digest;
      expect(digestOf(rule(line))).toBe(digestOf(rule("")));
    },
  );
});
