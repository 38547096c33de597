import { Environment } from "@marcbachmann/cel-js";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inputOf, outcomeOf, rulesetWith } from "../../test/build.ts";
import { compiled, readUnchecked } from "../../test/condition.ts";
import { replaceWindowKeys } from "./window-keys.ts";

const absent = undefined;
const unknown = "unknown";

function resultOf(condition: string, signals: Record<string, unknown>): true | false | "unknown" {
  return outcomeOf(rulesetWith(condition), inputOf(signals));
}

function evidenceOf(condition: string, signals: Record<string, unknown>): unknown {
  return rulesetWith(condition).decide(inputOf(signals)).reasons[0]?.evidence;
}

function missingOf(condition: string, signals: Record<string, unknown>): unknown {
  return rulesetWith(condition).decide(inputOf(signals)).unknown[0]?.missing;
}

describe("compile", () => {
  test.each([
    [true, true, true, true],
    [true, false, false, true],
    [true, absent, unknown, true],
    [false, true, false, true],
    [false, false, false, false],
    [false, absent, false, unknown],
    [absent, true, unknown, true],
    [absent, false, false, unknown],
    [absent, absent, unknown, unknown],
  ])("joins %s and %s as Kleene does: && is %s, || is %s", (vpn, proxy, both, either) => {
    expect(resultOf("vpn && proxy", { vpn, proxy })).toBe(both);
    expect(resultOf("vpn || proxy", { vpn, proxy })).toBe(either);
  });

  test.each([
    [true, false],
    [false, true],
    [absent, unknown],
  ])("negates %s to %s", (vpn, negated) => {
    expect(resultOf("!vpn", { vpn })).toBe(negated);
    expect(resultOf("!(!vpn) == false", { vpn })).toBe(negated);
  });

  test.each([
    ["has(bot)", { bot: "good" }, true],
    ["has(bot)", {}, false],
    ["has(bot)", { bot: null }, false],
    ["has(bot)", { bot: 1 }, false],
    ["!has(bot) || bot == 'bad'", {}, true],
    ["has(vpn_methods)", { vpn_methods: {} }, true],
    ["has(vpn_methods)", { vpn_methods: [] }, false],
    ["has(labels)", { labels: [] }, true],
    ["has(velocity.distinct_ip.5_minutes)", { velocity: { distinct_ip: {} } }, false],
    ["has(velocity.distinct_ip.5_minutes)", { velocity: { distinct_ip: { "5_minutes": 0 } } }, true],
  ])("answers %s of %j with %s", (condition, signals, expected) => {
    expect(resultOf(condition, signals)).toBe(expected);
  });

  test.each([
    ["suspect_score > 1.5", { suspect_score: 2 }, true],
    ["suspect_score >= 2 && suspect_score <= 2", { suspect_score: 2 }, true],
    ["suspect_score < 2 || suspect_score > 2", { suspect_score: 2 }, false],
    ["suspect_score == 2.0", { suspect_score: 2 }, true],
    ["suspect_score != 2", { suspect_score: 2 }, false],
    ["2 < suspect_score", { suspect_score: 3 }, true],
    ["suspect_score / 2 == 1.5", { suspect_score: 3 }, true],
    ["suspect_score % 2 == 1", { suspect_score: 3 }, true],
    ["suspect_score * 2 + 1 - 3 == 4", { suspect_score: 3 }, true],
    ["-suspect_score == -3", { suspect_score: 3 }, true],
    ["suspect_score in [1, -2, 3]", { suspect_score: -2 }, true],
    ["bot in ['bad', 'good']", { bot: "not_detected" }, false],
    ["bot in ['bad', 'good']", {}, unknown],
    ["bot == 'bad'", { bot: "of_a_later_version" }, false],
    ["bot != 'bad'", { bot: "of_a_later_version" }, true],
    ["linked_id == user_agent", { linked_id: "a", user_agent: "a" }, true],
    ["vpn ? proxy : incognito", { vpn: true, proxy: true }, true],
    ["vpn ? proxy : incognito", { vpn: false, proxy: true }, unknown],
    ["vpn ? proxy : incognito", { proxy: true, incognito: true }, unknown],
    ["velocity.events.24_hours > 1", { velocity: { events: { "24_hours": 2 } } }, true],
  ])("judges %s of %j as %s", (condition, signals, expected) => {
    expect(resultOf(condition, signals)).toBe(expected);
  });

  test.each([
    ["suspect_score / 0 > 1", { suspect_score: 1 }],
    ["0 / suspect_score > 1", { suspect_score: 0 }],
    ["suspect_score % 0 == 0", { suspect_score: 1 }],
    ["suspect_score * suspect_score > 1", { suspect_score: 1e200 }],
    ["suspect_score > 1", { suspect_score: Number.POSITIVE_INFINITY }],
    ["suspect_score > 1", { suspect_score: "2" }],
    ["incognito", { incognito: 1 }],
    ["bot == 'bad'", { bot: ["bad"] }],
    ["ip_blocklist.tor_node", { ip_blocklist: true }],
    ["ip_blocklist.tor_node", { ip_blocklist: [{ tor_node: true }] }],
    ["ip_blocklist.tor_node", JSON.parse('{ "__proto__": { "ip_blocklist": { "tor_node": true } } }')],
  ])("does not know %s of %j", (condition, signals) => {
    expect(resultOf(condition, signals)).toBe(unknown);
  });

  test.each([
    ["vpn && bot == 'bad'", { vpn: true, bot: "bad", proxy: true }, { vpn: true, bot: "bad" }],
    ["vpn || proxy || incognito", { vpn: false, proxy: true, incognito: true }, { proxy: true, incognito: true }],
    ["!(vpn && proxy)", { vpn: true, proxy: false }, { proxy: false }],
    ["!(vpn || proxy)", { vpn: false, proxy: false }, { vpn: false, proxy: false }],
    ["(vpn || bot == 'bad') && suspect_score > 3", { vpn: true, suspect_score: 4 }, { vpn: true, suspect_score: 4 }],
    [
      "suspect_score + tampering_ml_score > 3",
      { suspect_score: 3, tampering_ml_score: 1 },
      { suspect_score: 3, tampering_ml_score: 1 },
    ],
    ["has(bot) && !has(vpn)", { bot: "good" }, { bot: "good", "has(vpn)": false }],
    ["has(vpn_methods)", { vpn_methods: { relay: true } }, { vpn_methods: true }],
    ["vpn ? proxy : incognito", { vpn: true, proxy: true, incognito: true }, { vpn: true, proxy: true }],
    [
      "velocity.distinct_ip.5_minutes > 1",
      { velocity: { distinct_ip: { "5_minutes": 2 } } },
      { "velocity.distinct_ip.5_minutes": 2 },
    ],
    ["user_agent != 'x'", { user_agent: "u".repeat(1000) }, { user_agent: "u".repeat(256) }],
    ["true", {}, {}],
  ])("explains %s by the clauses that decided", (condition, signals, evidence) => {
    expect(evidenceOf(condition, signals)).toEqual(evidence);
  });

  test.each([
    ["vpn && proxy", {}, ["vpn", "proxy"]],
    ["vpn && proxy", { vpn: true }, ["proxy"]],
    ["vpn && (proxy || incognito)", { vpn: true, proxy: false }, ["incognito"]],
    ["suspect_score > tampering_ml_score", { suspect_score: 1 }, ["tampering_ml_score"]],
    ["!has(bot) && vpn", {}, ["vpn"]],
    ["vpn ? proxy : incognito", { vpn: false }, ["incognito"]],
    ["vpn ? proxy : incognito", {}, ["vpn"]],
    ["suspect_score / 0 > 1", { suspect_score: 1 }, ["suspect_score"]],
    ["1 / suspect_score + tampering_ml_score > 1", { suspect_score: 0 }, ["suspect_score", "tampering_ml_score"]],
  ])("names what %s of %j lacks: %j", (condition, signals, missing) => {
    expect(missingOf(condition, signals)).toEqual(missing);
  });
});

// Conditions without has() over a few signals, as text.
const { condition } = fc.letrec<{ condition: string; flag: string; number: string }>((tie) => ({
  condition: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("flag"),
    fc
      .tuple(tie("condition"), fc.constantFrom("&&", "||", "==", "!="), tie("condition"))
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie("condition").map((a) => `!(${a})`),
    fc.tuple(tie("condition"), tie("condition"), tie("condition")).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
  ),
  flag: fc.oneof(
    fc.constantFrom("vpn", "proxy", "ip_blocklist.tor_node", "true", "false"),
    fc
      .tuple(tie("number"), fc.constantFrom("<", "<=", ">", ">=", "==", "!="), tie("number"))
      .map((parts) => `(${parts.join(" ")})`),
    fc
      .tuple(
        fc.constantFrom("bot", "bot_info.identity"),
        fc.constantFrom("==", "!="),
        fc.constantFrom("bot_type", "user_agent"),
      )
      .map((parts) => `(${parts.join(" ")})`),
    fc
      .subarray(["'bad'", "'good'", "'not_detected'"], { minLength: 1 })
      .map((values) => `bot in [${values.join(", ")}]`),
    fc.subarray(["0.0", "1.0", "2.5"], { minLength: 1 }).map((values) => `suspect_score in [${values.join(", ")}]`),
  ),
  number: fc.oneof(
    fc.constantFrom("suspect_score", "tampering_ml_score", "velocity.distinct_ip.5_minutes", "0.0", "1.0", "2.5"),
    fc
      .tuple(
        fc.constantFrom("suspect_score", "1.0"),
        fc.constantFrom("+", "-", "*"),
        fc.constantFrom("2.0", "tampering_ml_score"),
      )
      .map((parts) => `(${parts.join(" ")})`),
  ),
}));

const number = fc.constantFrom(0, 0.5, 1, 2, 2.5, 3);
const text = fc.constantFrom("bad", "good", "not_detected", "unknown");
const wholeEvent = fc.record({
  vpn: fc.boolean(),
  proxy: fc.boolean(),
  ip_blocklist: fc.record({ tor_node: fc.boolean() }),
  bot: text,
  bot_type: text,
  bot_info: fc.record({ identity: text }),
  user_agent: text,
  suspect_score: number,
  tampering_ml_score: number,
  velocity: fc.record({ distinct_ip: fc.record({ "5_minutes": number }) }),
});

// Many of the conditions above are refused, as they can never be or always are.
function of(when: string, signals: Record<string, unknown>) {
  return compiled(readUnchecked(when))(inputOf(signals));
}

describe("compiled conditions", () => {
  test("agree with the CEL library wherever every signal is present", () => {
    const environment = new Environment({ unlistedVariablesAreDyn: true });
    fc.assert(
      fc.property(condition, wholeEvent, (when, event) => {
        const { velocity, ...rest } = event;
        const renamed = { ...rest, velocity: { distinct_ip: { f_minutes: velocity.distinct_ip["5_minutes"] } } };
        expect(of(when, event).value).toBe(environment.evaluate(replaceWindowKeys(when), renamed));
      }),
      { numRuns: 200 },
    );
  });

  test("only ever become unknown when signals go missing", () => {
    const names = ["vpn", "proxy", "ip_blocklist", "bot", "bot_type", "bot_info", "user_agent", "suspect_score"];
    fc.assert(
      fc.property(condition, wholeEvent, fc.subarray(names), (when, event, removed) => {
        const rest = Object.fromEntries(Object.entries(event).filter(([name]) => !removed.includes(name)));
        expect([of(when, event).value, undefined]).toContain(of(when, rest).value);
      }),
      { numRuns: 200 },
    );
  });

  test("name only signals that are absent, and some whenever they are unknown for want of one", () => {
    fc.assert(
      fc.property(condition, (when) => {
        const { value, missing } = of(when, {});
        expect(missing.length > 0).toBe(value === undefined);
        expect(missing.every((path) => when.includes(path))).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

describe("a boolean signal that can be looked at without a call", () => {
  test.each([
    ["vpn", "true false unknown"],
    ["!vpn", "false true unknown"],
    ["!!vpn", "true false unknown"],
    ["vpn == true", "true false unknown"],
    ["vpn == false", "false true unknown"],
    ["vpn != false", "true false unknown"],
    ["!(vpn == false)", "true false unknown"],
    ["vpn in [false]", "false true unknown"],
    ["has(vpn) && !vpn", "false true false"],
    ["!vpn && has(event_id)", "false true unknown"],
    ["has(event_id) && !(vpn == true)", "false true unknown"],
    ["!(vpn && has(event_id))", "false true unknown"],
    ["!vpn || !has(event_id)", "false true unknown"],
    ["(vpn || proxy) && has(event_id)", "true unknown unknown"],
  ])("comes out in %s as in any other place: %s", (written, outcomes) => {
    const ruleset = rulesetWith(written);
    const inputs = [{ vpn: true }, { vpn: false }, {}].map((signals) => inputOf(signals));
    expect(inputs.map((input) => outcomeOf(ruleset, input)).join(" ")).toBe(outcomes);
  });
});
