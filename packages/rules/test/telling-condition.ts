import { isRecord } from "@assay/protocol";
import * as fc from "fast-check";
import type { Input } from "../src/condition/input.ts";

interface Parts {
  condition: string;
  element: string;
  flag: string;
  number: string;
  text: string;
}

const FLAGS = ["vpn", "proxy", "incognito", "jailbroken", "ip_blocklist.tor_node", "facts.member", "checks.stale"];
const NUMBERS = [
  "suspect_score",
  "identification.confidence.score",
  "velocity.distinct_ip.5_minutes",
  "counters.logins",
  "facts.amount",
];
const TEXTS = ["bot", "sdk.platform", "linked_id", "user_agent", "context.user_id", "facts.email"];

/** Texts and numbers are few, so that comparisons come out both ways and contradict each other now and then. */
const VALUES = ["bad", "good", "js", "ios", "ann@mail.test", ""];
const SOUGHT = ["a", "ba", "mail", ""];
const PATTERNS = ["^b", "a|o", "[a-m]+d$", "x"];

const quoted = (texts: readonly string[]) => fc.constantFrom(...texts.map((text) => JSON.stringify(text)));
const literal = fc.constantFrom("0.0", "0.5", "1.0", "2.0", "-3.0");
const macro = fc.constantFrom("exists", "all", "exists_one");
const spaced = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((all) => `(${all.join(" ")})`);
const comparing = fc.constantFrom("==", "!=", "<", "<=", ">", ">=");
const equating = fc.constantFrom("==", "!=");

/**
 * Texts of conditions that CEL's own evaluator understands when every name is present: no age(), no lists of the
 * ruleset but texts, literals that are doubles. `isAsking` adds has().
 */
export function tellingCondition(isAsking: boolean): fc.Arbitrary<string> {
  const { condition } = fc.letrec<Parts>((tie: fc.LetrecTypedTie<Parts>) => {
    const joined = (part: "condition" | "element"): fc.Arbitrary<string>[] => [
      spaced(tie(part), fc.constantFrom("&&", "||"), tie(part)),
      tie(part).map((inner) => `!(${inner})`),
      fc.tuple(tie(part), tie(part), tie(part)).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    ];
    const asked = fc.constantFrom("vpn", "bot", "suspect_score", "velocity.distinct_ip.5_minutes", "sdk");
    const asking = isAsking ? [asked.map((path) => `has(${path})`)] : [];
    return {
      condition: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        tie("flag"),
        ...joined("condition"),
        spaced(tie("condition"), equating, tie("condition")),
        ...asking,
      ),
      flag: fc.oneof(
        fc.constantFrom(...FLAGS),
        spaced(tie("number"), comparing, tie("number")),
        spaced(tie("number"), comparing, literal),
        spaced(tie("text"), equating, quoted(VALUES)),
        spaced(tie("text"), equating, tie("text")),
        fc.tuple(tie("text"), quoted(VALUES), quoted(VALUES)).map(([item, a, b]) => `${item} in [${a}, ${b}]`),
        fc.tuple(tie("number"), literal, literal).map(([item, a, b]) => `${item} in [${a}, ${b}]`),
        fc
          .tuple(tie("text"), fc.constantFrom("contains", "startsWith", "endsWith"), quoted(SOUGHT))
          .map(([subject, test, sought]) => `${subject}.${test}(${sought})`),
        fc.tuple(tie("text"), quoted(PATTERNS)).map(([subject, pattern]) => `${subject}.matches(${pattern})`),
        fc.constantFrom("linked_id in lists.devices", '"vip" in facts.tags'),
        fc.tuple(macro, tie("element")).map(([name, inner]) => `labels.${name}(e, ${inner})`),
        fc.tuple(macro, quoted(VALUES)).map(([name, value]) => `facts.tags.${name}(e, e == ${value} || vpn)`),
      ),
      element: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.constantFrom("e.prediction", "e.ml_score > 0.5", 'e.label == "bad"', "e.prediction && vpn"),
        ...joined("element"),
      ),
      number: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.constantFrom(...NUMBERS),
        spaced(tie("number"), fc.constantFrom("+", "-", "*", "/"), fc.oneof(literal, tie("number"))),
        tie("number").map((inner) => `-(${inner})`),
      ),
      text: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(...TEXTS) },
        fc.constantFrom(...TEXTS).map((path) => `lower(${path})`),
      ),
    };
  });
  return condition;
}

const CLAUSES = [
  "vpn",
  "incognito",
  "jailbroken",
  "has(bot)",
  "has(vpn)",
  "has(suspect_score)",
  "suspect_score in [0, 2]",
  "counters.logins >= 0",
  'bot in ["bad", "js"]',
  'sdk.platform in ["js", "ios"]',
  ...["==", "!=", "<", "<=", ">", ">="].flatMap((op) => [`suspect_score ${op} 1`, `suspect_score ${op} 0.5`]),
  ...["==", "!="].flatMap((op) => [`bot ${op} "bad"`, `bot ${op} "good"`, `sdk.platform ${op} "ios"`]),
];

/** Conditions whose clauses are about so few names that they often contradict each other, or leave nothing out. */
export const { dense: denseCondition } = fc.letrec<{ dense: string }>((tie) => ({
  dense: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    fc.constantFrom(...CLAUSES),
    spaced(tie("dense"), fc.constantFrom("&&", "||"), tie("dense")),
    tie("dense").map((inner) => `!(${inner})`),
    fc.tuple(tie("dense"), tie("dense"), tie("dense")).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
  ),
}));

/** What an input holds, by path; lists by their name. */
export type Values = Readonly<Record<string, unknown>>;

const VALUE_OF: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  ...Object.fromEntries(FLAGS.map((path) => [path, fc.boolean()])),
  ...Object.fromEntries(NUMBERS.map((path) => [path, fc.constantFrom(0, 0.5, 1)])),
  ...Object.fromEntries(TEXTS.map((path) => [path, fc.constantFrom(...VALUES, "BAD", "friend")])),
  suspect_score: fc.constantFrom(-3, 0, 0.5, 1, 2, 40),
  "facts.amount": fc.constantFrom(-3, 0, 0.5, 1, 2, 40),
  "counters.logins": fc.constantFrom(0, 1, 2, 1000),
  "facts.tags": fc.array(fc.constantFrom("vip", ...VALUES), { maxLength: 3 }),
};

const label = { label: fc.constantFrom("bad", "good"), prediction: fc.boolean(), ml_score: fc.constantFrom(0, 0.5, 1) };

/** Everything is present. */
export const wholeValues: fc.Arbitrary<Values> = fc.record({
  ...VALUE_OF,
  labels: fc.array(fc.record(label), { maxLength: 3 }),
});

/** Anything may be absent. */
export const someValues: fc.Arbitrary<Values> = fc.record(
  { ...VALUE_OF, labels: fc.array(fc.record(label, { requiredKeys: [] }), { maxLength: 3 }) },
  { requiredKeys: [] },
);

/** The values as an input, event and all. */
export function inputWith(values: Values): Input {
  const { facts, checks, context, counters, ...event } = nested(values);
  const base = { event_id: "1708102555327.NLOjmg", timestamp: 1_708_102_555_327 };
  const input = {
    event: { ...base, ...event },
    checks: checks ?? {},
    context: { ...(isRecord(context) ? context : {}), facts },
    counters,
    receivedAt: 1_708_102_556_000,
    kind: "sealed",
  };
  return JSON.parse(JSON.stringify(input));
}

/** The values as one object of nested ones. */
export function nested(values: Values): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(values)) {
    const keys = path.split(".");
    const last = keys.pop() ?? "";
    let group = root;
    for (const key of keys) {
      const inner = group[key];
      group = isRecord(inner) ? inner : (group[key] = {});
    }
    group[last] = value;
  }
  return root;
}
