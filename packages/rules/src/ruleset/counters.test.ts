import { describe, expect, test } from "vitest";
import { briefFaultsOf, inputOf, rulesetOf } from "../../test/build.ts";
import { loadRuleset } from "../index.ts";

const textOf = (counter: string) => `ruleset: test\ncounters:\n  it: ${counter}\n`;
const SIGNALS = { ip_address: "192.0.2.1", identification: { visitor_id: "v1" } };
const definitionOf = (...lines: string[]) =>
  rulesetOf(...lines).counting(inputOf(SIGNALS, { context: { user_id: "u1" } }))[0]?.definition;

describe("counters", () => {
  test.each([
    ["{ window: 1h }", "3:3 A counter needs a key, what it counts by, as in key: identification.visitor_id"],
    ["{ key: ip_address }", "3:3 A counter needs a window, as in window: 24h"],
    ["{ key: ip_address, window: 1h, wehre: vpn }", "3:38 wehre is not known in a counter. Did you mean where?"],
    [
      "{ key: ip_address, window: 1h, on: outcomes }",
      "3:42 on must be one of submission, outcome. Did you mean outcome?",
    ],
    ["{ key: ip_address, window: 0s }", "3:34 window must be a time from 1s to 90d"],
    ["{ key: ip_address, window: 999ms }", "window must be a time from 1s to 90d"],
    ["{ key: ip_address, window: 91d }", "window must be a time from 1s to 90d"],
    ["{ key: ip_address, window: 60 }", "window must be a time from 1s to 90d"],
    ["{ key: ip_adress, window: 1h }", "3:14 ip_adress is not a known name. Did you mean ip_address?"],
    ["{ key: [ip_address, ip_address], window: 1h }", "3:27 ip_address stands twice in this key."],
    ["{ key: [], window: 1h }", "3:14 key must be one name or a list of 1 to 4."],
    ["{ key: [bot, vpn, proxy, incognito, emulator], window: 1h }", "3:14 key must be one name or a list of 1 to 4."],
    ["{ key: 1, window: 1h }", "3:14 key must be a name"],
    ["{ key: tags, window: 1h }", "3:14 tags is not a single value."],
    ["{ key: checks.stale, window: 1h }", "3:14 checks.stale cannot be a counter's key. Take a signal"],
    ["{ key: counters.it, window: 1h }", "3:14 counters.it cannot be a counter's key."],
    ["{ key: outcome, window: 1h, on: outcome }", "3:14 outcome cannot be a counter's key."],
    [
      "{ key: ip_address, distinct: [a], window: 1h }",
      "3:36 distinct must be one name, as in distinct: context.user_id",
    ],
    ["{ key: ip_address, distinct: ip_address, window: 1h }", "3:36 ip_address is part of the key"],
    ["{ key: ip_address, window: 1h, where: vpnn }", "3:45 vpnn is not a known name. Did you mean vpn?"],
    [
      "{ key: ip_address, window: 1h, where: vpn && counters.it > 1 }",
      "3:52 counters.it is not known yet when counters count.",
    ],
    [
      "{ key: ip_address, window: 1h, where: checks.reused }",
      "3:45 checks.reused is not known yet when counters count.",
    ],
    ["{ key: ip_address, window: 1h, where: has(checks.use_count) }", "checks.use_count is not known yet"],
    [
      "{ key: ip_address, window: 1h, on: outcome, where: checks.reused_elsewhere }",
      "checks.reused_elsewhere is not known",
    ],
    [
      "{ key: ip_address, window: 1h, where: label == 'fraud' }",
      "3:45 label is told later. Set on: outcome to count outcomes.",
    ],
    [
      "{ key: ip_address, window: 1h, on: outcome, where: outcome == context.flow }",
      "3:58 outcome can only be compared with texts by ==, != or in, or asked for by has().",
    ],
    ["{ key: ip_address, window: 1h, on: outcome, where: outcome == label }", "outcome can only be compared"],
    ["{ key: ip_address, window: 1h, on: outcome, where: label == 'frod' }", '3:67 label is never "frod"'],
    [
      "{ key: ip_address, window: 1h, on: outcome, where: \"outcome in ['a', 'Login Failed']\" }",
      "3:76 An outcome is 1 to 64",
    ],
    ["{ key: ip_address, window: 1h, on: outcome, where: outcom == 'a' }", "Did you mean outcome?"],
    ["1h", "3:7 a counter must be a map"],
  ])("refuses %s", (counter, fault) => {
    expect(briefFaultsOf(textOf(counter)).join("\n")).toContain(fault);
  });

  test("does not know outcomes in rules", () => {
    const text = "ruleset: test\nrules: [{ id: it, when: outcome == 'a', score: 1 }]\n";
    expect(briefFaultsOf(text)).toEqual([expect.stringContaining("2:25 outcome is not a known name.")]);
  });

  test("tells every fault of every counter at once", () => {
    const text = "ruleset: test\ncounters:\n  a: { key: bott, window: 0s }\n  B: { key: bot, window: 1h }\n  c: {}\n";
    expect(briefFaultsOf(text).map((fault) => fault.split(" ")[0])).toEqual(["3:13", "3:27", "4:3", "5:3", "5:3"]);
  });

  test.each([
    ["linked_id", true],
    ["url", true],
    ["client_referrer", true],
    ["user_agent", true],
    ["browser_details.os", true],
    ["context.user_agent", true],
    ["context.origin", true],
    ["[identification.visitor_id, url]", true],
    ["identification.visitor_id", false],
    ["ip_address", false],
    ["context.linked_id", false],
  ])("warns of the key %s: %s", (key, warns) => {
    const rules = "rules: [{ id: a, when: vpn, action: block }]";
    expect(rulesetOf(`counters: { it: { key: ${key}, window: 1h } }`, rules).warnings.length > 0).toBe(warns);
    const distinct = key.startsWith("[") ? "url" : key;
    const { warnings } = rulesetOf(`counters: { it: { key: bot, distinct: ${distinct}, window: 1h } }`, rules);
    expect(warnings.length > 0).toBe(warns);
  });

  test.each([
    ["key: event_id", "3:14 Every event has another event_id, so nothing would be counted together."],
    ["key: bundle_id, where: incognito", "Nothing is counted: incognito is only present in browsers, but"],
    ["key: [bundle_id, package_name]", "Nothing is counted: package_name is only present on Android, but"],
    ["key: url, where: '!has(url)'", "Nothing is counted: !has(url) can never be true here, because of has(url)."],
  ])("refuses a counter that could never count: { %s }", (counter, fault) => {
    expect(briefFaultsOf(`ruleset: test\ncounters:\n  it: { ${counter}, window: 1h }\n`)).toEqual([
      expect.stringContaining(fault),
    ]);
  });

  test("has one definition for one meaning, whatever its name", () => {
    const definition = definitionOf("counters: { a: { key: ip_address, window: 60m, where: vpn && proxy } }");
    expect(definition).toMatch(/^[0-9a-f]{16}$/);
    expect(
      definitionOf("counters: { b: { on: submission, key: [ip_address], where: (vpn) &&  proxy, window: 1h } }"),
    ).toBe(definition);
  });

  test.each([
    ["on", "{ key: ip_address, window: 1h, on: outcome }"],
    ["key", "{ key: [ip_address, identification.visitor_id], window: 1h }"],
    ["order of the key", "{ key: [identification.visitor_id, ip_address], window: 1h }"],
    ["distinct", "{ key: ip_address, distinct: context.user_id, window: 1h }"],
    ["condition", "{ key: ip_address, window: 1h, where: vpn }"],
    ["window", "{ key: ip_address, window: 2h }"],
  ])("has another definition for another %s", (_, counter) => {
    const all = ["{ key: ip_address, window: 1h }", "{ key: [ip_address, identification.visitor_id], window: 1h }"];
    const others = all.filter((other) => other !== counter).map((other) => definitionOf(`counters: { it: ${other} }`));
    expect(others).not.toContain(definitionOf(`counters: { it: ${counter} }`));
  });

  test("keeps its definition while the entries of its list change", () => {
    const definitionWith = (qa: string, file: string) =>
      loadRuleset(
        `ruleset: test\nlists: { qa: { type: cidr, file: ${file} } }\n` +
          "counters: { it: { key: ip_address, window: 1h, where: ip_address in lists.qa } }\n",
        { file: "test.yaml", files: new Map([[file, qa]]) },
      ).counting(inputOf(SIGNALS))[0]?.definition;
    expect(definitionWith("192.0.2.2\n", "qa.txt")).toBe(definitionWith("192.0.2.1\n", "qa.txt"));
    expect(definitionWith("192.0.2.1\n", "other.txt")).not.toBe(definitionWith("192.0.2.1\n", "qa.txt"));
  });
});
