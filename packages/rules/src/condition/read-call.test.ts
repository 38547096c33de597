import { describe, expect, test } from "vitest";
import { read } from "../../test/condition.ts";

describe("readCondition", () => {
  test.each([
    ["facts.email.endswith('x')", "12 CEL writes facts.email.endsWith('x') for facts.email.endswith('x')."],
    ["lowr(os) == 'a'", "0 There is no function lowr(). Did you mean lower(), as in lower(user_agent)?"],
    ["startsWith(url, 'a')", "0 CEL writes url.startsWith('a') for startsWith(url, 'a')."],
    ["os.lower() == 'a'", "3 CEL writes lower(os) for os.lower()."],
    ["age() > 1", "0 age() is written as in age(identification.first_seen_at)."],
    ["url.contains('a', 'b')", '0 contains() is written as in user_agent.contains("Headless").'],
    ["url.matches(os)", "12 matches() takes a text in quotes:"],
    ["suspect_score.contains('1')", "0 contains() does not take a number."],
    ["age(bot) > 1", "0 age() does not take a text."],
    ["lower(vpn)", "0 lower() does not take true or false."],
  ])("refuses the call %s", (text, fault) => {
    expect(read(text).faults.join("\n")).toContain(fault);
  });

  test.each([
    ["age(suspect_score) < 1", "4 age() asks how long ago a time is, and suspect_score is not one."],
    ["age(1.0) < suspect_score", "4 age() asks how long ago a time is, and this is not one."],
    ["url.contains('')", "13 An empty text is found in every text."],
    [`url.contains('${"x".repeat(251)}')`, "13 At most 250 characters can be looked for."],
    ["(url).matches( '[')", "15 This pattern cannot be read: missing closing ]"],
    ["url.matches('a*')", "12 This pattern matches every text."],
    ["lower(url).contains('Ab')", '20 lower() gives small letters only: write "ab".'],
    ["lower(url) == 'Ab'", '14 lower() gives small letters only: write "ab".'],
    ["lower(url) in ['Ab']", '15 lower() gives small letters only: write "ab".'],
    ["lower(bot) == 'bda'", 'Did you mean "bad"?'],
    ["bot.startsWith('bda')", '0 This is never true: bot is one of "bad", "good", "not_detected".'],
  ])("refuses %s, which can never be true or false", (text, fault) => {
    expect(read(text).faults.join("\n")).toContain(fault);
  });

  test.each([
    ["bot in lists.devces", "7 lists.devces is not a known name. Did you mean lists.devices?"],
    ["bot in lists.other", "7 lists.other is not a known name. Declare it under lists."],
    ["lists.devices", '0 A list stands after "in", as in identification.visitor_id in lists.devices.'],
    ["bot in lists.offices", "0 lists.offices holds cidr, and bot is never an address. Look up ip_address,"],
    ["facts.amount in lists.devices", "0 lists.devices holds string, and facts.amount is never a text."],
    ["'a' in lists.devices", "0 lists.devices holds string, and this is never a text."],
    ["counters.login > 3", "0 counters.login is not a known name. Did you mean counters.logins?"],
    ["counters.other > 3", "0 counters.other is not a known name. Declare it under counters."],
  ])("refuses %s, which the ruleset does not offer", (text, fault) => {
    expect(read(text).faults.join("\n")).toContain(fault);
  });

  test.each([
    ["labels.exists(l, l.lbel == 'x')", "17 l.lbel is not a known name of an element of labels. Did you mean l.label?"],
    [
      "labels.exists(l, l == 'x')",
      "17 l is not a known name of an element of labels. It is one of l.label, l.prediction",
    ],
    ["labels.exists(l, l.ml_score == 'x')", "17 == does not go between a number and a text."],
    ["labels.exists(l, l.label)", "What stands in exists() must be true or false, but this is a text."],
    ["labels.exists(l, vpn)", "17 What stands in exists() does not look at the element."],
    ["labels.exists(bot, bot.label == 'x')", "14 bot is a known name. Call the element something else."],
    ["labels.exists(l, facts.tags.all(t, t == l.label))", "17 all() cannot stand inside of another."],
    ["labels.exists(l)", "0 exists() is written as in labels.exists(l, "],
    ["bot.exists(b, b == 'x')", "0 exists() cannot look into bot: it is not a list."],
    ["raw_device_attributes.languages.all(l, true)", "0 all() cannot look into raw_device_attributes.languages: what"],
    ["'x' in labels", "7 labels does not hold plain values. Look into it with labels.exists(e, …)."],
    ["bot in facts.tags", "0 Only a literal can be looked for in facts.tags."],
    ["1 in facts.tags", "0 in does not go between a number and a list."],
  ])("refuses to look into a list by %s", (text, fault) => {
    expect(read(text).faults.join("\n")).toContain(fault);
  });

  test("goes on to the faults after a call", () => {
    expect(read("vip(os) && bott == 'a'").faults).toHaveLength(2);
  });
});
