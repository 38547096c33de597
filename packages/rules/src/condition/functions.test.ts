import { describe, expect, test } from "vitest";
import { inputOf } from "../../test/build.ts";
import { outcome } from "../../test/condition.ts";
import { MAX_ELEMENT_TEXT, MAX_ELEMENTS, MAX_TEXT } from "./limits.ts";

/** What `inputOf` was received at. */
const RECEIVED_AT = 1_708_102_556_000;

type Signals = Record<string, unknown>;

function of(condition: string, { facts, ...signals }: Signals) {
  return outcome(condition, inputOf(signals, facts === undefined ? {} : { context: { facts: { ...Object(facts) } } }));
}

describe("age()", () => {
  test.each<[string, Signals, boolean | undefined]>([
    ["age(identification.first_seen_at) == 60.5", { identification: { first_seen_at: RECEIVED_AT - 60_500 } }, true],
    ["age(identification.first_seen_at) < 0", { identification: { first_seen_at: RECEIVED_AT + 1 } }, true],
    ["age(factory_reset_timestamp) < 3600", { factory_reset_timestamp: 0 }, undefined],
    ["age(factory_reset_timestamp) < 3600", { factory_reset_timestamp: RECEIVED_AT - 1 }, true],
    ["age(proxy_details.last_seen_at) < 3600", {}, undefined],
    ["age(facts.amount) == 1", { facts: { amount: RECEIVED_AT - 1000 } }, true],
    ["age(facts.amount * 1000) == 1", { facts: { amount: RECEIVED_AT / 1000 - 1 } }, true],
  ])("of %s with %j is %s", (condition, signals, expected) => {
    expect(of(condition, signals).value).toBe(expected);
  });

  test("is explained by the time, and lacks it when there is none", () => {
    const time = RECEIVED_AT - 1000;
    expect(of("age(factory_reset_timestamp) < 60", { factory_reset_timestamp: time }).evidence).toEqual({
      factory_reset_timestamp: time,
    });
    expect(of("age(factory_reset_timestamp) < 60", { factory_reset_timestamp: 0 }).missing).toEqual([
      "factory_reset_timestamp",
    ]);
  });
});

describe("tests of a text", () => {
  test.each<[string, Signals, boolean | undefined]>([
    ["url.startsWith('https://')", { url: "https://a.test" }, true],
    ["url.startsWith('https://')", { url: "http://a.test" }, false],
    ["url.startsWith('https://')", {}, undefined],
    ["url.endsWith('/login')", { url: "https://a.test/login" }, true],
    ["url.endsWith('/login')", { url: "https://a.test/login?x" }, false],
    ["user_agent.contains('Headless')", { user_agent: "HeadlessChrome/1" }, true],
    ["user_agent.contains('headless')", { user_agent: "HeadlessChrome/1" }, false],
    ["lower(user_agent).contains('headless')", { user_agent: "HeadlessChrome/1" }, true],
    ["lower(user_agent) == 'ä€'", { user_agent: "Ä€" }, true],
    ["lower(user_agent) == lower(os)", { user_agent: "A", os: "a" }, true],
    ["user_agent.matches('Chrome/1[0-9]{2}')", { user_agent: "Mozilla Chrome/112.0" }, true],
    ["user_agent.matches('^Chrome/1[0-9]{2}$')", { user_agent: "Mozilla Chrome/112" }, false],
    ["user_agent.matches('(?i)CHROME')", { user_agent: "chrome" }, true],
    [String.raw`user_agent.matches(r"\bbot\b")`, { user_agent: "a bot!" }, true],
    [String.raw`user_agent.matches("\\p{Cyrillic}")`, { user_agent: "Привет" }, true],
    ["(vpn ? url : os).contains('a')", { vpn: false, os: "a" }, true],
    ["(vpn ? url : os).contains('a')", { vpn: true, os: "a" }, undefined],
  ])("%s of %j is %s", (condition, signals, expected) => {
    expect(of(condition, signals).value).toBe(expected);
  });

  test("are explained by the text", () => {
    expect(of("lower(os).contains('a') && vpn", { os: "MAC", vpn: true }).evidence).toEqual({ os: "MAC", vpn: true });
  });

  test.each(["url.contains('xy')", "url.matches('xy')", "url.startsWith('xy')", "lower(url) == 'xy'"])(
    "%s does not know a text beyond the bound, and names it",
    (condition) => {
      expect(of(condition, { url: "x".repeat(MAX_TEXT) }).value).toBe(false);
      expect(of(condition, { url: "x".repeat(MAX_TEXT + 1) })).toMatchObject({ value: undefined, missing: ["url"] });
    },
  );

  test("an equal text of any length is equal", () => {
    const text = "x".repeat(100_000);
    expect(of("url == linked_id", { url: text, linked_id: text }).value).toBe(true);
    expect(of("url in ['a', 'b']", { url: text }).value).toBe(false);
  });
});

describe("lists of a ruleset", () => {
  test.each<[string, Signals, boolean | undefined, Signals]>([
    [
      "identification.visitor_id in lists.devices",
      { identification: { visitor_id: "friend" } },
      true,
      { "identification.visitor_id": "friend", "lists.devices": "friend" },
    ],
    [
      "!(identification.visitor_id in lists.devices)",
      { identification: { visitor_id: "other" } },
      true,
      { "identification.visitor_id": "other" },
    ],
    [
      "identification.visitor_id in lists.devices",
      { identification: { visitor_id: "former" } },
      false,
      {
        "identification.visitor_id": "former",
      },
    ],
    [
      "ip_address in lists.offices",
      { ip_address: "10.1.2.3" },
      true,
      { ip_address: "10.1.2.3", "lists.offices": "10.0.0.0/8" },
    ],
    ["ip_address in lists.offices", { ip_address: "nowhere" }, undefined, {}],
    ["ip_address in lists.offices", {}, undefined, {}],
    [
      "facts.amount in lists.networks",
      { facts: { amount: 7922 } },
      true,
      { "facts.amount": 7922, "lists.networks": "AS7922" },
    ],
    [
      "lower(facts.email) in lists.throwaway",
      { facts: { email: "A@Mail.TEST" } },
      true,
      {
        "facts.email": "A@Mail.TEST",
        "lists.throwaway": "mail.test",
      },
    ],
  ])("%s of %j is %s", (condition, signals, value, evidence) => {
    expect(of(condition, signals)).toMatchObject({ value, evidence });
  });

  test("lack a value that they cannot judge", () => {
    expect(of("ip_address in lists.offices", { ip_address: "nowhere" }).missing).toEqual(["ip_address"]);
  });
});

describe("lists of the input", () => {
  test.each<[string, Signals, boolean | undefined, Signals]>([
    ["'vip' in facts.tags", { facts: { tags: ["new", "vip"] } }, true, { "facts.tags[1]": "vip" }],
    ["!('vip' in facts.tags)", { facts: { tags: ["new"] } }, true, { "facts.tags": "1 element" }],
    ["'vip' in facts.tags", { facts: { tags: [] } }, false, { "facts.tags": "0 elements" }],
    ["'vip' in facts.tags", { facts: { tags: ["vip", 1] } }, undefined, {}],
    [
      "'Arial' in raw_device_attributes.fonts",
      { raw_device_attributes: { fonts: ["Arial"] } },
      true,
      {
        "raw_device_attributes.fonts[0]": "Arial",
      },
    ],
    ["has(labels)", { labels: [] }, true, { labels: true }],
  ])("%s of %j is %s", (condition, signals, value, evidence) => {
    expect(of(condition, signals)).toMatchObject({ value, evidence });
  });

  test("are unknown beyond the bound", () => {
    const tags = Array.from({ length: MAX_ELEMENTS + 1 }, () => "vip");
    for (const condition of ["'vip' in facts.tags", "facts.tags.exists(t, t == 'vip')"]) {
      expect(of(condition, { facts: { tags: tags.slice(1) } }).value).toBe(true);
      expect(of(condition, { facts: { tags } })).toMatchObject({ value: undefined, missing: ["facts.tags"] });
    }
  });
});

const yes = { prediction: true };
const no = { prediction: false };
const absent = {};

describe("macros", () => {
  test.each([
    [[], false, true, false],
    [[yes], true, true, true],
    [[no], false, false, false],
    [[absent], undefined, undefined, undefined],
    [[yes, no], true, false, true],
    [[yes, yes], true, true, false],
    [[yes, absent], true, undefined, undefined],
    [[no, absent], undefined, false, undefined],
    [[yes, absent, yes], true, undefined, false],
    [[null], undefined, undefined, undefined],
    [["text"], undefined, undefined, undefined],
    [undefined, undefined, undefined, undefined],
  ])("of %j: exists is %s, all is %s, exists_one is %s", (labels, exists, all, one) => {
    expect(of("labels.exists(l, l.prediction)", { labels }).value).toBe(exists);
    expect(of("labels.all(l, l.prediction)", { labels }).value).toBe(all);
    expect(of("labels.exists_one(l, l.prediction)", { labels }).value).toBe(one);
  });

  test.each<[string, Signals, boolean | undefined]>([
    ["labels.exists(l, l.label == 'bot' && l.ml_score > 0.5)", { labels: [{ label: "bot", ml_score: 0.6 }] }, true],
    ["labels.exists(l, has(l.ml_score))", { labels: [{}, { ml_score: 1 }] }, true],
    ["labels.exists(l, l.label.startsWith('bo') && vpn)", { labels: [{ label: "bot" }], vpn: true }, true],
    ["labels.exists(l, l.label == lower(os))", { labels: [{ label: "a" }, { label: "b" }], os: "B" }, true],
    ["facts.tags.exists(t, lower(t) == 'vip')", { facts: { tags: ["new", "VIP"] } }, true],
    ["facts.tags.all(t, t in lists.devices)", { facts: { tags: ["friend", "friend"] } }, true],
    ["facts.tags.all(t, t in lists.devices)", { facts: { tags: ["friend", "foe"] } }, false],
    ["facts.tags.exists(t, t == 'a') && facts.tags.exists(e, e == 'b')", { facts: { tags: ["a", "b"] } }, true],
    [
      "sdk.integrations.exists(i, i.subintegration.name == 'preact')",
      { sdk: { integrations: [{ subintegration: { name: "preact" } }] } },
      true,
    ],
  ])("%s of %j is %s", (condition, signals, expected) => {
    expect(of(condition, signals).value).toBe(expected);
  });

  test.each<[string, Signals, Signals]>([
    [
      "labels.exists(l, l.label == 'bot' && l.prediction)",
      {
        labels: [
          { label: "x", prediction: true },
          { label: "bot", prediction: true, ml_score: 1 },
        ],
      },
      { "labels[1].label": "bot", "labels[1].prediction": true },
    ],
    ["!labels.all(l, l.prediction)", { labels: [yes, no, no] }, { "labels[1].prediction": false }],
    ["labels.all(l, l.prediction)", { labels: [yes, yes] }, { labels: "2 elements" }],
    ["!labels.exists(l, l.prediction || vpn)", { labels: [no], vpn: false }, { labels: "1 element", vpn: false }],
    [
      "labels.exists_one(l, l.prediction)",
      { labels: [no, yes] },
      { labels: "2 elements", "labels[1].prediction": true },
    ],
    [
      "!labels.exists_one(l, l.prediction)",
      { labels: [yes, no, yes, yes] },
      { "labels[0].prediction": true, "labels[2].prediction": true },
    ],
    ["labels.exists(l, !has(l.label))", { labels: [{}] }, { "has(labels[0].label)": false }],
    ["facts.tags.exists(t, t.contains('ip'))", { facts: { tags: ["a", "vip"] } }, { "facts.tags[1]": "vip" }],
  ])("%s of %j is explained by %j", (condition, signals, evidence) => {
    expect(of(condition, signals)).toMatchObject({ value: true, evidence });
    expect(Object.keys(of(condition, signals).evidence)).toHaveLength(Object.keys(evidence).length);
  });

  test("lack the list, or what an element does not have", () => {
    const condition = "labels.exists(l, l.prediction && vpn)";
    expect(of(condition, { vpn: true }).missing).toEqual(["labels"]);
    expect(of(condition, { labels: [no, absent, absent], vpn: true }).missing).toEqual(["labels[].prediction"]);
    expect(of(condition, { labels: [yes] }).missing).toEqual(["vpn"]);
  });

  test("do not know a long text of an element", () => {
    const condition = "facts.tags.exists(t, t.contains('vip'))";
    const tag = "vip".padEnd(MAX_ELEMENT_TEXT);
    expect(of(condition, { facts: { tags: [tag] } }).value).toBe(true);
    expect(of(condition, { facts: { tags: [`${tag} `] } })).toMatchObject({
      value: undefined,
      missing: ["facts.tags[]"],
    });
  });
});
