import { describe, expect, test } from "vitest";
import { read } from "../../test/condition.ts";
import { foreignFaults } from "./dialect.ts";

describe("foreignFaults", () => {
  test.each([
    // expr-lang
    ["vpn and proxy", "4 CEL writes && for and."],
    ["vpn or proxy", "4 CEL writes || for or."],
    ["not vpn", "0 CEL writes ! for not."],
    ["not (vpn || proxy)", "0 CEL writes ! for not."],
    ['url contains "x"', '4 CEL writes url.contains("x") for url contains "x".'],
    ["url startsWith 'https'", "4 CEL writes url.startsWith('https') for url startsWith 'https'."],
    ['url endsWith "x"', '4 CEL writes url.endsWith("x") for url endsWith "x".'],
    [
      'user_agent matches "Headless.*"',
      '11 CEL writes user_agent.matches("Headless.*") for user_agent matches "Headless.*".',
    ],
    ['lower(url) contains "x"', '11 CEL writes lower(url).contains("x") for lower(url) contains "x".'],
    ['url not contains "x"', '4 CEL writes !url.contains("x") for url not contains "x".'],
    ['bot not in ["bad"]', '4 CEL writes !(bot in ["bad"]) for bot not in ["bad"].'],
    ["bot != nil", "7 CEL writes has(bot) for bot != nil."],
    ["bot == nil", "7 CEL writes !has(bot) for bot == nil."],
    ["bot_info?.identity == 'spoofed'", "8 CEL writes bot_info.identity for bot_info?.identity."],
    ["(suspect_score ?? 0) > 3", "15 CEL writes has(suspect_score) ? suspect_score : 0 for suspect_score ?? 0."],
    ['url | lower() == "x"', "6 CEL writes lower(url) for url | lower()."],
    ["len(labels) > 0", "0 Conditions cannot count what labels holds."],
    ['any(labels, {.label == "x"})', '0 CEL writes labels.exists(e, e.label == "x") for any(labels, {.label == "x"}).'],
    ["all(labels, {#.prediction})", "0 CEL writes labels.all(e, e.prediction) for all(labels, {#.prediction})."],
    ["one(labels, {.prediction && !.prediction})", "0 CEL writes labels.exists_one(e, e.prediction && !e.prediction)"],
    ["none(labels, {.prediction})", "0 CEL writes !labels.exists(e, e.prediction) for"],
    ['any(facts.tags, {# == "vip"})', '0 CEL writes facts.tags.exists(e, e == "vip") for'],
    ["count(labels, {.prediction}) > 1", "0 Look into a list with labels.exists(e, …)"],
    ["filter(labels, {.prediction})", "0 Look into a list with labels.exists(e, …)"],
    ["suspect_score in 1..3", "14 CEL writes suspect_score >= 1 && suspect_score <= 3 for suspect_score in 1..3."],
    ["bot == `bad`", '7 CEL writes "bad" for `bad`.'],
    ['hasPrefix(url, "x")', '0 CEL writes url.startsWith("x") for hasPrefix(url, "x").'],
    ["upper(bot) == 'BAD'", "0 There are no capitals to compare with."],
    ["age(timestamp) > 30m", "17 CEL writes 1800 for 30m."],
    ["age(identification.first_seen_at) < 1d", "36 CEL writes 86400 for 1d."],
    ["identification.first_seen_at > now() - 5", "31 Ask how long ago a time was, in seconds: age("],
    // wirefilter
    ['bot eq "bad"', "4 CEL writes == for eq."],
    ["suspect_score ne 1", "14 CEL writes != for ne."],
    ["suspect_score lt 1 or suspect_score ge 3", "14 CEL writes < for lt."],
    ["suspect_score gt 1", "14 CEL writes > for gt."],
    ["suspect_score le 1", "14 CEL writes <= for le."],
    ['bot in {"bad" "good"}', '4 CEL writes bot in ["bad", "good"] for bot in {"bad" "good"}.'],
    ["ip_address in $devices", "11 CEL writes ip_address in lists.devices for ip_address in $devices."],
    ['starts_with(url, "x")', '0 CEL writes url.startsWith("x") for starts_with(url, "x").'],
    ['user_agent ~ "Head"', '11 CEL writes user_agent.matches("Head") for user_agent ~ "Head".'],
    ["vpn xor proxy", "4 CEL writes != for xor."],
    // SQL
    ["vpn AND NOT proxy", "4 CEL writes && for AND."],
    ["suspect_score <> 1", "14 CEL writes != for <>."],
    ["url LIKE '%x%'", "4 CEL writes url.contains(\"x\") for url LIKE '%x%'."],
    ["url like 'x%'", '4 CEL writes url.startsWith("x") for'],
    ["url LIKE '%x'", '4 CEL writes url.endsWith("x") for'],
    ["url NOT LIKE 'x'", '4 CEL writes url != "x" for'],
    ["url LIKE 'a%b_'", '4 CEL writes url.matches("^a.*b.$") for'],
    ["bot IS NULL", "7 CEL writes !has(bot) for bot IS NULL."],
    ["bot IS NOT NULL", "11 CEL writes has(bot) for bot IS NOT NULL."],
    ["suspect_score BETWEEN 1 AND 3", "14 CEL writes suspect_score >= 1 && suspect_score <= 3 for"],
    ["suspect_score NOT BETWEEN 1 AND 3", "14 CEL writes (suspect_score < 1 || suspect_score > 3) for"],
    ["bot IN ('bad', 'good')", "4 CEL writes bot in ['bad', 'good'] for bot IN ('bad', 'good')."],
    ["bot NOT IN ('bad')", "4 CEL writes !(bot in ['bad']) for bot NOT IN ('bad')."],
    ["vpn;", "3 A condition ends without a semicolon."],
    // JavaScript
    ['bot === "bad"', "4 CEL writes == for ===."],
    ['bot !== "bad"', "4 CEL writes != for !==."],
    ['url.includes("x")', '4 CEL writes url.contains("x") for url.includes("x").'],
    ['["bad", "good"].includes(bot)', '16 CEL writes bot in ["bad", "good"] for ["bad", "good"].includes(bot).'],
    ['url.indexOf("x") !== -1', '0 CEL writes url.contains("x") for url.indexOf("x") !== -1.'],
    ["labels.length > 0", "7 Conditions cannot count what labels holds."],
    ["bot !== undefined", "8 CEL writes has(bot) for bot !== undefined."],
    ["undefined === bot", "0 CEL writes !has(bot) for undefined === bot."],
    ["bot == null", "7 CEL writes !has(bot) for bot == null."],
    ['typeof bot !== "undefined"', '11 CEL writes has(bot) for typeof bot !== "undefined".'],
    [
      "/Head(less)?/i.test(user_agent)",
      '0 CEL writes user_agent.matches("Head(less)?") for /Head(less)?/i.test(user_agent).',
    ],
    ["url.match(/x/)", '0 CEL writes url.matches("x") for url.match(/x/).'],
    ['url.toLowerCase() == "x"', "4 CEL writes lower(url) for url.toLowerCase()."],
    [
      "labels.some(l => l.prediction)",
      "7 CEL writes labels.exists(l, l.prediction) for labels.some(l => l.prediction).",
    ],
    [
      "labels.every((l) => l.prediction)",
      "7 CEL writes labels.all(l, l.prediction) for labels.every((l) => l.prediction).",
    ],
    // Python
    ["bot is None", "7 CEL writes !has(bot) for bot is None."],
    ["bot is not None", "11 CEL writes has(bot) for bot is not None."],
    ["vpn == True", "7 CEL writes true for True."],
    ['url.startswith("x")', '4 CEL writes url.startsWith("x") for url.startswith("x").'],
    ["1 < suspect_score < 3", "0 CEL writes 1 < suspect_score && suspect_score < 3 for 1 < suspect_score < 3."],
    ["any(l.prediction for l in labels)", "0 CEL writes labels.exists(l, l.prediction) for"],
    // Stripe Radar, templates, shells
    [":suspect_score: > 65", "0 CEL writes suspect_score for :suspect_score:."],
    ["Block if :vpn:", "0 A condition begins with the condition."],
    ["ip_address in @devices", "11 CEL writes ip_address in lists.devices for ip_address in @devices."],
    ["{{ vpn }}", "0 CEL writes vpn for {{ vpn }}."],
    ["${vpn} && proxy", "0 CEL writes vpn for ${vpn}."],
    ["$.vpn", "0 CEL writes vpn for $.vpn."],
    ["suspect_score ≥ 3", "14 CEL writes >= for ≥."],
    ["suspect_score => 3", "14 CEL writes >= for =>."],
  ])("says how CEL writes %s", (text, fault) => {
    expect(read(text).faults[0]).toContain(fault);
  });

  test("names each foreign word of a condition, and other faults beside them", () => {
    expect(read("vpn and proxi or not incognito").faults).toEqual([
      "4 CEL writes && for and.",
      "14 CEL writes || for or.",
      "17 CEL writes ! for not.",
    ]);
    expect(read('bott == "x" && url.includes("x")').faults).toEqual([
      '19 CEL writes url.contains("x") for url.includes("x").',
      "0 bott is not a known name. Did you mean bot?",
    ]);
  });

  test.each([
    ["any(", " "],
    ["{{", " "],
    ["${", " "],
    ["suspect_score > ", "1"],
    ["any(", " for"],
    ["url =~ /", "\\a"],
    ["any(a,", "(b)"],
  ])("takes no longer than its length allows: %s%s…", (start, unit) => {
    const text = start + unit.repeat((4000 - start.length) / unit.length);
    const before = performance.now();
    foreignFaults(text);
    expect(performance.now() - before).toBeLessThan(1000);
  });

  test("points to a word wherever white space and comments stand", () => {
    expect(read("vpn // it's and\n   &&  \tproxy  and incognito").faults).toEqual(["31 CEL writes && for and."]);
  });

  test.each(['bot == "a and b"', "bot != 'x is None'", 'user_agent.contains(" like ")'])(
    "leaves texts alone: %s",
    (text) => {
      expect(read(text).faults.filter((fault) => fault.includes("CEL writes"))).toEqual([]);
    },
  );
});
