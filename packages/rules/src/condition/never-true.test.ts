import { describe, expect, test } from "vitest";
import { read } from "../../test/condition.ts";

/** Faults as `offset message`. */
const faultsOf = (text: string) => read(text).faults;

describe("checkReachable", () => {
  test.each([
    [
      'bot == "bad" && bot == "good"',
      '16 bot == "good" can never be true here, because of bot == "bad". Write bot in ["bad", "good"] for either.',
    ],
    [
      "suspect_score > 5 && suspect_score < 3",
      "21 suspect_score < 3 can never be true here, because of suspect_score > 5.",
    ],
    [
      "suspect_score > 5 && suspect_score <= 5",
      "21 suspect_score <= 5 can never be true here, because of suspect_score > 5.",
    ],
    [
      "5 < suspect_score && vpn && 3 > suspect_score",
      "28 3 > suspect_score can never be true here, because of 5 < suspect_score.",
    ],
    [
      "suspect_score == 4 && suspect_score > 5",
      "22 suspect_score > 5 can never be true here, because of suspect_score == 4.",
    ],
    [
      "suspect_score >= 5 && suspect_score != 5 && suspect_score <= 5",
      "44 suspect_score <= 5 can never be true here, because of suspect_score >= 5 and suspect_score != 5.",
    ],
    [
      'bot in ["bad", "good"] && bot == "not_detected"',
      '26 bot == "not_detected" can never be true here, because of bot in ["bad", "good"].',
    ],
    ["vpn && !vpn", "7 !vpn can never be true here, because of vpn."],
    ["vpn && vpn == false", "7 vpn == false can never be true here, because of vpn."],
    ["vpn && (proxy || !vpn)", "17 !vpn can never be true here, because of vpn."],
    ["!(vpn || proxy) && proxy", "19 proxy can never be true here, because of !proxy."],
    ["vpn ? proxy && !vpn : incognito", "15 !vpn can never be true here, because of vpn."],
    ["has(bot) && !has(bot)", "12 !has(bot) can never be true here, because of has(bot)."],
    ['!has(bot) && bot == "bad"', '13 bot == "bad" can never be known here, because of !has(bot).'],
    [
      "!has(vpn_methods) && vpn_methods.relay",
      "21 vpn_methods.relay can never be known here, because of !has(vpn_methods).",
    ],
    [
      "vpn_methods.relay && !has(vpn_methods)",
      "21 !has(vpn_methods) can never be true here, because of vpn_methods.relay.",
    ],
    ["(suspect_score + 1) > 6 && (suspect_score + 1) < (2)", "28 (suspect_score + 1) < (2) can never be true here"],
    ['url.contains("a") && !url.contains("a")', '21 !url.contains("a") can never be true here'],
    ["linked_id == user_agent && user_agent != linked_id", "27 user_agent != linked_id can never be true here"],
    [
      "suspect_score < facts.amount && suspect_score >= facts.amount",
      "32 suspect_score >= facts.amount can never be true here",
    ],
    [
      "labels.exists(l, l.prediction && !l.prediction)",
      "33 !l.prediction can never be true here, because of l.prediction.",
    ],
    ["(vpn && !vpn) == proxy", "8 !vpn can never be true here, because of vpn."],
    [
      "suspect_score != suspect_score",
      "0 suspect_score != suspect_score can never be true: it compares a value with itself.",
    ],
    ["vpn && false", "7 This can never be true."],
  ])("refuses what contradicts: %s", (text, fault) => {
    expect(faultsOf(text)).toHaveLength(1);
    expect(faultsOf(text)[0]).toContain(fault);
  });

  test.each([
    ["identification.confidence.score > 1.5", "identification.confidence.score is from 0 to 1."],
    ["counters.logins > 1000", "counters.logins is from 0 to 1000."],
    ["counters.logins < 0", "counters.logins is from 0 to 1000."],
    ["counters.logins == -1", "counters.logins is from 0 to 1000."],
    ["checks.use_count < 0", "checks.use_count is 0 or more."],
  ])("refuses what lies outside the limits of a field: %s", (text, limits) => {
    expect(faultsOf(text)).toEqual([`0 ${text} can never be true: ${limits}`]);
  });

  test.each([
    [
      "counters.logins >= 0",
      "0 counters.logins >= 0 is always true: counters.logins is from 0 to 1000. Drop it, or ask has(counters.logins).",
    ],
    ["vpn && checks.use_count >= 0", "7 checks.use_count >= 0 is always true: checks.use_count is 0 or more."],
    ["identification.confidence.score <= 1", "0 identification.confidence.score <= 1 is always true"],
    [
      'user_agent != "x" || user_agent != "y"',
      '0 user_agent != "x" and user_agent != "y" cannot both be false: one is always true. Did you mean &&?',
    ],
    [
      "suspect_score > 3 || suspect_score < 5",
      "0 suspect_score > 3 and suspect_score < 5 cannot both be false: one is always true. Drop one.",
    ],
    ["vpn || !vpn", "0 vpn and !vpn cannot both be false"],
    ["vpn in [true, false]", "0 vpn in [true, false] is always true"],
    ["vpn || true", "0 true makes this always true."],
    [
      "suspect_score <= suspect_score",
      "0 suspect_score <= suspect_score is always true: it compares a value with itself.",
    ],
  ])("refuses what is always true: %s", (text, fault) => {
    expect(faultsOf(text)).toHaveLength(1);
    expect(faultsOf(text)[0]).toContain(fault);
  });

  test.each(["1 == 2", "1 == 1", '"a" != "b"', "1 in [1, 2]", "2 > 1 + 1"])(
    "refuses %s, in which nothing changes",
    (text) => {
      expect(faultsOf(text)).toEqual([`0 ${text} is the same for every event. Name a signal in it.`]);
    },
  );

  test("advises no list of values where one was denied", () => {
    expect(faultsOf('bot == "bad" ? vpn : bot == "bad"')).toEqual([
      '21 bot == "bad" can never be true here, because of !(bot == "bad").',
    ]);
  });

  test("names every clause that cannot be", () => {
    expect(faultsOf("(suspect_score < 3 || suspect_score > 5) && suspect_score == 4")).toHaveLength(2);
    expect(faultsOf("(vpn && !vpn) || counters.logins < 0")).toHaveLength(2);
    expect(faultsOf('bot == "bad" && (bot == "good" || bot == "not_detected")')).toHaveLength(2);
  });

  test.each([
    [
      'sdk.platform == "ios" && incognito',
      '25 incognito is only present in browsers, but sdk.platform == "ios" asks for iOS: this can never be known.',
    ],
    [
      'incognito && sdk.platform == "ios"',
      '13 incognito is only present in browsers, but sdk.platform == "ios" asks for iOS: this can never be known.',
    ],
    ['sdk.platform == "ios" && (vpn || incognito)', "33 incognito is only present in browsers"],
    ['(vpn || incognito) && sdk.platform == "ios"', "8 incognito is only present in browsers"],
    ['sdk.platform == "ios" && !incognito', "25 incognito is only present in browsers"],
    [
      'sdk.platform in ["ios", "android"] && incognito',
      '38 incognito is only present in browsers, but sdk.platform in ["ios", "android"] asks for Android or iOS',
    ],
    ['sdk.platform == "js" ? jailbroken : vpn', "23 jailbroken is only present on iOS"],
    [
      "incognito && jailbroken",
      "13 jailbroken is only present on iOS, but incognito is only present in browsers: this can never be known.",
    ],
    [
      "has(jailbroken) && virtual_machine",
      "19 virtual_machine is only present in browsers, but jailbroken is only present on iOS",
    ],
    [
      "cloned_app && mitm_attack && jailbroken",
      "29 jailbroken is only present on iOS, but cloned_app is only present on Android",
    ],
    ["bot == bundle_id", "0 bundle_id is only present on iOS, but bot is only present in browsers"],
  ])("refuses a signal where it cannot be present: %s", (text, fault) => {
    expect(faultsOf(text)).toHaveLength(1);
    expect(faultsOf(text)[0]).toContain(fault);
  });

  test.each([
    ["true"],
    ["vpn && !(vpn && proxy)"],
    ["!has(bot) || (has(bot) && bot == 'bad')"],
    ["suspect_score > 5 && (suspect_score > 3 || vpn)"],
    ["(suspect_score < 3 || suspect_score > 5) && suspect_score != 4"],
    ['bot != "bad" && bot != "good" && bot != "not_detected"'],
    ['bot == "bad" || bot == "good" || bot == "not_detected"'],
    ["has(vpn_methods) && !vpn_methods.relay"],
    ["has(vpn_methods) && !has(vpn_methods.relay)"],
    ["has(suspect_score) && suspect_score > 3"],
    ["(vpn ? 1 : 2) > 1"],
    ['sdk.platform != "js" && (emulator || simulator)'],
    ['sdk.platform != "ios" && (incognito || emulator)'],
    ['sdk.platform == "unknown" && incognito'],
    ['sdk.platform != "js" && incognito'],
    ['sdk.platform == "ios" || incognito'],
    ['sdk.platform == "ios" ? jailbroken : incognito'],
    ['sdk.platform == "ios" && !has(incognito)'],
    ["incognito || jailbroken"],
    ["emulator && !has(jailbroken)"],
    ['vpn && "vip" in facts.tags && facts.email in lists.throwaway'],
  ])("accepts %s", (text) => {
    expect(faultsOf(text)).toEqual([]);
  });
});
