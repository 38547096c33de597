import { describe, expect, test } from "vitest";
import { briefFaultsOf, faultsOf } from "../../test/build.ts";

/** The condition stands on line 4 and begins in column 11. */
const textWith = (when: string) => `ruleset: test
rules:
  - id: it
    when: ${when}
    action: block
`;

describe("readCondition", () => {
  test.each([
    ['bott == "bad"', "4:11", "bott is not a known name. Did you mean bot?"],
    ["velocity.distinct_ip.5_minuts > 3", "4:11", "Did you mean velocity.distinct_ip.5_minutes?"],
    ["velocity.distinct_ip.f_minutes > 3", "4:11", "Did you mean velocity.distinct_ip.5_minutes?"],
    ["vpn && tor_node", "4:18", "Did you mean ip_blocklist.tor_node?"],
    ["checks.stael", "4:11", "Did you mean checks.stale?"],
    ["vpn && facts.amount > 1", "4:18", "facts.amount is not a known name. Declare it under facts."],
    ["constructor == 1", "4:11", "constructor is not a known name."],
    ["vpn.__proto__", "4:11", "vpn.__proto__ is not a known name."],
    ["vpn && proxi && bott", "4:18", "Did you mean proxy?"],
  ])("refuses the unknown name in %s", (when, at, message) => {
    expect(briefFaultsOf(textWith(when))[0]).toMatch(new RegExp(`^${at} `));
    expect(briefFaultsOf(textWith(when))[0]).toContain(message);
  });

  test.each([
    ['bot == "bda"', "4:18", 'Did you mean "bad"?'],
    ['lower(user_agent).matches("Chrome")', "4:37", "the capitals of this pattern are never found"],
    ['bot != "bda"', "4:18", 'Did you mean "bad"?'],
    ['vpn && "bda" == bot', "4:18", 'Did you mean "bad"?'],
    ['bot in ["bad", "godo"]', "4:26", 'Did you mean "good"?'],
    ["proximity.precision_radius == 11", "4:41", "proximity.precision_radius is never 11"],
    ['context.flow == "Log In"', "4:27", "so it is never this"],
  ])("refuses a literal that can never match: %s", (when, at, message) => {
    const [fault = ""] = briefFaultsOf(textWith(when));
    expect(fault).toContain(`${at} `);
    expect(fault).toContain(message);
  });

  test.each([
    ['vpn == "yes"', "4:11", "== does not go between true or false and a text."],
    ["vpn == 1", "4:11", "== does not go between true or false and a number."],
    ['proxy || suspect_score == "1"', "4:20", "== does not go between a number and a text."],
    ["vpn && bot", "4:11", "a text"],
    ["suspect_score", "4:11", "A condition must be true or false, but this is a number"],
    ["vpn_methods", "4:11", "a group of signals: name one of its fields"],
    ['bot in ["bad", 1]', "4:26", "List elements must have the same type"],
    ['vpn_confidence > "low"', "4:11", "> compares numbers only."],
    ["vpn < true", "4:11", "< compares numbers only."],
    ["labels == labels", "4:11", "This is a group of signals."],
    ['bot + "x" == os', "4:11", "+ works on numbers."],
    ["-bot == 1", "4:11", "-"],
  ])("refuses the wrong type in %s", (when, at, message) => {
    const [fault = ""] = briefFaultsOf(textWith(when));
    expect(fault).toContain(`${at} `);
    expect(fault).toContain(message);
  });

  test.each([
    ["vpn and proxy", "4:15", "CEL writes && for and."],
    ["vpn OR proxy", "4:15", "CEL writes || for OR."],
    ["not vpn", "4:11", "CEL writes ! for not."],
    ["not(vpn)", "4:11", "CEL writes ! for not."],
    ["vpn && not proxy", "4:18", "CEL writes ! for not."],
    ['bot is "bad"', "4:15", "CEL writes == for is."],
    ["vpn = true", "4:15", "CEL compares with ==, !=, <=, >=."],
    ["suspect_score <> 1", "4:25", "CEL writes != for <>."],
    ["vpn & proxy", "4:15", "CEL writes && for and."],
    ["vpn | proxy", "4:15", "CEL writes || for or."],
    ["vpn == True", "4:18", "CEL writes true for True."],
    ["bot == null", "4:18", "CEL writes !has(bot) for bot == null."],
    ["bot == “bad”", "4:18", "Use straight quotes around a text."],
  ])("gives CEL's spelling for %s", (when, at, message) => {
    expect(briefFaultsOf(textWith(when))).toEqual([`${at} ${message}`]);
  });

  test.each([
    ["bot in lists.bots", "4:18 lists.bots is not a known name. Declare it under lists."],
    ["counters.logins > 3", "4:11 counters.logins is not a known name. Declare it under counters."],
    ["vip(bot)", "4:11 There is no function vip(). Conditions know has(), age(), lower(), startsWith(),"],
    ["has(1)", "4:11 has() asks for one name: has(bot), has(velocity.events.1_hour)."],
    ["bot in bot_type", '4:18 A list must stand after "in": bot in ["bad", "good"].'],
    ["bot in []", "4:18 An empty list contains nothing."],
    ["bot in [bot_type]", "4:19 A list holds texts, numbers, true or false only."],
    ['velocity.distinct_ip["5_minutes"] > 1', "4:11 Write a name with dots"],
    ["(vpn", "4:15 A closing bracket is missing."],
    ["vpn &&", "4:17 The condition ends too early."],
    ["suspect_score == 5.", "4:30 The condition ends too early."],
    ["vрn", "4:12 Here is U+0440, which may look like another character. Type this part anew."],
    ["vpn proxy", "4:15 Something is missing before this, such as && or ||."],
    ['url.matches("\\d+")', "4:24 In a text a backslash is written twice: \\\\d."],
    ["vpn &&\u00a0proxy", "4:17 An invisible character stands here (U+00A0). Write a plain space."],
    ["\u200bvpn", "4:11 An invisible character stands here (U+200B). Write a plain space."],
    ["suspect_score > 1 && !suspect_score", "! does not stand before a number."],
    ["-vpn == -1", "- does not stand before true or false."],
    ['bot == "bad', "4:18 This text has no closing quote."],
    ["suspect_score > 99999999999999999999", "4:27 This number is too large."],
    ["", "4:11 The condition is empty."],
  ])("refuses %s", (when, fault) => {
    expect(briefFaultsOf(textWith(when))[0]).toContain(fault);
  });

  test.each([
    ["operators", `vpn && ${"!".repeat(40)}vpn`, "The condition is nested more than 32 deep."],
    ["sums", `suspect_score > 1${" + 1".repeat(40)}`, "The condition is nested more than 32 deep."],
    ["brackets", `${"(".repeat(80)}vpn${")".repeat(80)}`, "The condition is too large or nested too deeply."],
  ])("bounds the depth of %s", (_, when, message) => {
    expect(faultsOf(textWith(when))).toContainEqual(expect.objectContaining({ line: 4, message }));
  });

  test("bounds the length of a condition, and not how many alternatives it has", () => {
    expect(briefFaultsOf(textWith(`vpn${" || vpn".repeat(580)}`))).toEqual([]);
    expect(briefFaultsOf(textWith(`vpn${" || vpn".repeat(600)}`))).toEqual([
      "4:11 A condition may take at most 4096 bytes.",
    ]);
  });

  test("finds every unknown name of one condition and of all rules", () => {
    const second = "  - id: other\n    when: proxi\n    score: 1\n";
    const places = faultsOf(textWith("vpnn && bott") + second).map(({ line, column }) => `${line}:${column}`);
    expect(places).toEqual(["4:11", "4:19", "7:11"]);
  });

  test.each([
    ["suspect_score > 1 && suspect_score < 2.5 && suspect_score == 2"],
    ["suspect_score / 2 >= 1.5 || suspect_score % 2 == 1"],
    ["velocity.distinct_ip.5_minutes > 3 && velocity.events.24_hours > 3"],
    ["has(bot) || has(velocity.distinct_ip.1_hour) || has(vpn_methods)"],
    ["-suspect_score < -1.5"],
    ["context.flow == 'login' && checks.event_age_seconds > 3"],
    ["true"],
  ])("accepts %s", (when) => {
    expect(briefFaultsOf(textWith(when))).toEqual([]);
  });
});
