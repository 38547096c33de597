import { describe, expect, test } from "vitest";
import { assay, assayJson, DEFAULT, FAULTY, put, useFolder } from "../test/command-line.ts";

useFolder();

const TIME = 1_708_102_555_327;
const EVENT = JSON.stringify({ event_id: `${TIME}.NLOjmg`, timestamp: TIME, bot: "bad", vpn: false });

describe("assay rules explain <event.json>", () => {
  test("shows how every rule comes out, clause by clause", async () => {
    put("default.yaml", DEFAULT);
    const { exitCode, out } = await assay("rules", "explain", put("event.json", EVENT));
    expect(exitCode).toBe(0);
    expect(out).toContain(`${TIME}.NLOjmg: block, score 0`);
    expect(out).toContain('hit      bad_bot  block  An automation tool\n  true     bot == "bad"  bot: "bad"');
    expect(out).toMatch(/unknown {2}hidden {2}\+80 {2}missing: proxy\n/);
    expect(out).toMatch(/ {2}unknown {2} {2}proxy {2}proxy: absent\n/);
    expect(out).toMatch(/off {6}old {2}\+10\n/);
  });

  test("begins with the rules that hit, and shows points taken off and long values in short", async () => {
    put(
      "default.yaml",
      [
        "ruleset: default",
        "rules:",
        "  - { id: missed, when: vpn, score: 1 }",
        '  - { id: known, when: url != "", score: -10 }',
      ].join("\n"),
    );
    const event = put(
      "event.json",
      JSON.stringify({ ...JSON.parse(EVENT), url: `https://a.example/${"a".repeat(500)}` }),
    );
    const { out } = await assay("rules", "explain", event);
    expect(out).toMatch(/\n\nhit {6}known {2}-10\n {2}true .* url: "https:.{60,90}…\nmissed /);
  });

  test("gives the decision and every rule to programs", async () => {
    put("default.yaml", DEFAULT);
    expect(await assayJson("rules", "explain", put("event.json", EVENT))).toMatchObject({
      ruleset: { name: "default" },
      decision: { action: "block", reasons: [{ rule: "bad_bot", evidence: { bot: "bad" } }], invalid_facts: [] },
      rules: [
        { rule: "bad_bot", result: "hit" },
        { rule: "hidden", result: "unknown", missing: ["proxy"] },
        { rule: "abroad", result: "unknown", mode: "shadow" },
        { rule: "old", result: "off" },
      ],
    });
  });

  test("takes the context, counters, checks and time of a submission", async () => {
    put(
      "default.yaml",
      [
        "ruleset: default",
        "facts: { country: string }",
        "counters: { uses: { key: bot, window: 1h } }",
        "rules:",
        "  - { id: fact, when: 'facts.country == \"FR\"', score: 1 }",
        "  - { id: flow, when: 'context.flow == \"login\"', score: 1 }",
        "  - { id: counter, when: counters.uses > 2, score: 1 }",
        "  - { id: check, when: checks.ip_mismatch, score: 1 }",
        "  - { id: age, when: age(timestamp) > 60, score: 1 }",
      ].join("\n"),
    );
    const context = put("context.json", '{ "facts": { "country": "FR" } }');
    const said = ["--context", context, "--flow", "login", "--counter", "uses=3", "--check", "ip_mismatch=true"];
    const time = ["--received-at", new Date(TIME + 61_000).toISOString()];
    const rules = async (...options: string[]) => {
      const explained: { rules: { result: string }[] } = JSON.parse(
        (await assay("rules", "explain", put("event.json", EVENT), ...options, "--json")).out,
      );
      return explained.rules.map(({ result }) => result);
    };
    expect(await rules(...said, ...time)).toEqual(["hit", "hit", "hit", "hit", "hit"]);
    expect(await rules()).toEqual(["unknown", "unknown", "unknown", "unknown", "missed"]);
  });

  test("judges by the ruleset of the flow, or the one that is named", async () => {
    put("default.yaml", DEFAULT);
    put("login.yaml", DEFAULT.replace("default", "account_takeover"));
    put("_routes.yaml", "login: account_takeover\n");
    const event = put("event.json", EVENT);
    expect((await assay("rules", "explain", event)).out).toMatch(/^default /);
    expect((await assay("rules", "explain", event, "--flow", "login")).out).toMatch(/^account_takeover /);
    expect((await assay("rules", "explain", event, "--ruleset", "account_takeover")).out).toMatch(/^account_takeover /);
  });

  test("reads the webhooks and events of version 3", async () => {
    put("default.yaml", DEFAULT);
    const webhook = { requestId: `${TIME}.NLOjmg`, timestamp: TIME, visitorId: "v", bot: { result: "bad" } };
    const { out } = await assay("rules", "explain", put("event.json", JSON.stringify(webhook)));
    expect(out).toContain("hit      bad_bot");
  });

  test.each([
    ["a counter that is not there", ["--counter", "use=3"], /has no counter use/],
    ["a counter without a number", ["--counter", "uses=many"], /--counter uses=3/],
    ["a misspelt check", ["--check", "ip_mismach=true"], /Did you mean ip_mismatch\?/],
    ["a check that is neither true nor false", ["--check", "stale=yes"], /--check stale=true/],
    ["a ruleset that is not there", ["--ruleset", "nobody"], /There are: default\./],
    ["a time that is none", ["--received-at", "yesterday"], /neither unix milliseconds nor an ISO time/],
    ["a time in seconds", ["--received-at", "1758102555"], /neither unix milliseconds nor an ISO time/],
    ["a time without a zone", ["--received-at", "09/17/2025"], /such as 2026-12-31T18:00:00Z/],
    ["a counter below 0", ["--counter", "uses=-1"], /--counter uses=-1: a counter is a whole number from 0 to 1000/],
    ["a counter that counts no further", ["--counter", "uses=1001"], /a whole number from 0 to 1000/],
    ["a flow that is none", ["--flow", "Log In"], /context\.flow must be/],
  ])("refuses %s", async (_, options, message) => {
    put("default.yaml", DEFAULT);
    const { exitCode, out, err } = await assay("rules", "explain", put("event.json", EVENT), ...options);
    expect([exitCode, out, err]).toEqual([2, "", expect.stringMatching(message)]);
  });

  test.each([
    ["no event", '{ "bot": "bad" }', 2, /is not an event of Fingerprint's .*: it has neither the keys of v4/],
    ["a list", "[]", 2, /: it holds no JSON object\./],
    ["an event without a time", '{ "event_id": "1758102555327.Xy3kQa" }', 2, /keys of v4 \(event_id and timestamp\)/],
    ["no JSON", "bot: bad", 2, /is not JSON/],
  ])("refuses a file that is %s", async (_, text, exitCode, message) => {
    put("default.yaml", DEFAULT);
    const result = await assay("rules", "explain", put("event.json", text));
    expect([result.exitCode, result.err]).toEqual([exitCode, expect.stringMatching(message)]);
  });

  test("shows the faults of rulesets that do not load", async () => {
    put("default.yaml", FAULTY);
    const { exitCode, out } = await assay("rules", "explain", put("event.json", EVENT));
    expect([exitCode, out]).toEqual([1, expect.stringContaining("DIR/default.yaml:3:20: error: bott")]);
  });
});
