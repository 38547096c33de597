import { describe, expect, test } from "vitest";
import { loadRuleset } from "./index.ts";
import { rulesetOf } from "../test/build.ts";

const digestOf = (text: string) => loadRuleset(text, { file: "test.yaml" }).digest;
const BASE = "ruleset: test\nrules:\n  - id: it\n    when: vpn && bot == 'bad'\n    score: 1\n";

describe("loadRuleset", () => {
  test("fills in every default", () => {
    expect(rulesetOf()).toMatchObject({
      name: "test",
      engine: "assay-rules/1",
      mode: "enforce",
      ruleIds: [],
      flows: [],
      largestMaxEventAgeMs: 120_000,
      settings: {
        maxEventAgeMs: 120_000,
        allowedOrigins: [],
        allowedApps: [],
        allowedEnvironments: [],
        eventUse: "per_flow",
      },
    });
  });

  test("reads settings", () => {
    const { settings } = rulesetOf(
      "settings:",
      "  allowed_origins: ['https://shop.example', 'http://localhost:3000', 'capacitor://localhost', 'file://']",
      "  allowed_apps: [com.shop]",
      "  allowed_environments: [ae_live]",
      "  event_use: once",
    );
    expect(settings).toMatchObject({
      allowedOrigins: ["https://shop.example", "http://localhost:3000", "capacitor://localhost", "file://"],
      allowedApps: ["com.shop"],
      allowedEnvironments: ["ae_live"],
      eventUse: "once",
    });
  });

  test("knows the oldest event of each flow, and of all", () => {
    const ruleset = rulesetOf("settings: { max_event_age: 10s, max_event_age_by_flow: { checkout: 30m, login: 5s } }");
    expect(["checkout", "login", "signup", undefined].map((flow) => ruleset.maxEventAgeMs(flow))).toEqual([
      1_800_000, 5000, 10_000, 10_000,
    ]);
    expect(ruleset.largestMaxEventAgeMs).toBe(1_800_000);
  });

  test("names the fields of an event that it reads, wherever it does", () => {
    const ruleset = rulesetOf(
      "integrity: { stale: off }",
      "expose: [ip_info.v4.asn]",
      "counters:",
      "  logins: { key: linked_id, distinct: os, where: incognito, window: 1h }",
      "rules:",
      "  - { id: a, when: vpn && counters.logins > 1, except: 'has(proxy_details)', score: 1 }",
      "  - { id: b, when: 'labels.exists(l, l.prediction)', score: 1, mode: shadow }",
      "  - { id: c, when: 'lower(url) == \"x\" || age(timestamp) > 5', action: review, rollout: 10% }",
      "  - { id: d, when: frida, score: 1, mode: off }",
    );
    const asked = [
      "incognito",
      "ip_info.v4.asn",
      "labels",
      "linked_id",
      "os",
      "proxy_details",
      "timestamp",
      "url",
      "vpn",
    ];
    expect([...ruleset.eventFields].toSorted()).toEqual(["identification.visitor_id", ...asked, "replayed"].toSorted());
  });

  test("tells of each counter whether it hangs on a list", () => {
    const lists = "lists: { qa: { type: string, file: lists/qa.txt } }";
    const of = (where: string) => `{ key: ip_address, window: 1h, where: '${where}' }`;
    const counters = `counters: { a: ${of("vpn")}, b: ${of("vpn || linked_id in lists.qa")} }`;
    const text = `ruleset: test\n${lists}\n${counters}`;
    const ruleset = loadRuleset(text, { file: "test.yaml", files: new Map([["lists/qa.txt", "a\n"]]) });
    expect(ruleset.counters).toMatchObject([
      { name: "a", readsLists: false },
      { name: "b", readsLists: true },
    ]);
  });

  test("names its flows: those with an age of their own and those a condition compares with", () => {
    const ruleset = rulesetOf(
      "settings: { max_event_age_by_flow: { checkout: 30m } }",
      "rules:",
      "  - { id: a, when: vpn && !(context.flow == 'signup'), score: 1 }",
      "  - { id: b, when: \"context.flow in ['login', 'reset'] || bot == 'bad'\", score: 1 }",
    );
    expect(ruleset.flows).toEqual(["checkout", "login", "reset", "signup"]);
    expect(ruleset.ruleIds).toEqual(["a", "b"]);
  });

  test.each([
    ["comments and spacing", `# why\n${BASE.replace("vpn && bot", "vpn  &&  bot")}`],
    ["quotes", BASE.replace("'bad'", '"bad"')],
    ["brackets that change nothing", BASE.replace("vpn &&", "(vpn) &&")],
    [
      "a default spelled out",
      `${BASE}settings: { max_event_age: 120s }\nintegrity: { stale: challenge }\nmode: enforce\n`,
    ],
    ["candidate", `${BASE}candidate: other\n`],
    ["tests", `${BASE}tests: [{ name: a, expect: { action: allow } }]\n`],
    ["people who look after a rule", `${BASE}    owner: ann\n    review_by: 2030-01-01\n    tags: [a]\n`],
    [
      "the order of keys",
      BASE.replace("  - id: it\n    when: vpn && bot == 'bad'", "  - when: vpn && bot == 'bad'\n    id: it"),
    ],
  ])("gives the same digest whatever the %s", (_, text) => {
    expect(digestOf(text)).toBe(digestOf(BASE));
  });

  test.each([
    ["name", BASE.replace("test", "other")],
    ["condition", BASE.replace("&&", "||")],
    ["literal", BASE.replace("bad", "good")],
    ["score", BASE.replace("score: 1", "score: 2")],
    ["message", `${BASE}    message: x\n`],
    ["unknown action", `${BASE}    when_unknown: review\n`],
    ["mode", `${BASE}mode: observe\n`],
    ["settings", `${BASE}settings: { max_event_age: 121s }\n`],
    ["flow's age", `${BASE}settings: { max_event_age_by_flow: { a: 1s } }\n`],
    ["facts", `${BASE}facts: { a: number }\n`],
    ["thresholds", `${BASE}thresholds: { block: 1 }\n`],
    ["integrity", `${BASE}integrity: { stale: off }\n`],
    ["undecided actions", `${BASE}undecided: { default: block }\n`],
    ["exposed signals", `${BASE}expose: [bot]\n`],
    ["counter", `${BASE}counters: { c: { key: ip_address, window: 1h } }\n`],
    ["rule mode", `${BASE}    mode: shadow\n`],
    ["share of visitors", `${BASE}    rollout: 10%\n`],
    ["exception", `${BASE}    except: proxy\n`],
  ])("gives another digest for another %s", (_, text) => {
    expect(digestOf(text)).toMatch(/^[0-9a-f]{16}$/);
    expect(digestOf(text)).not.toBe(digestOf(BASE));
  });
});
