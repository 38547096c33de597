import * as fc from "fast-check";

interface Parts {
  condition: string;
  number: string;
  text: string;
  element: string;
}

const NUMBERS = ["suspect_score", "facts.amount", "counters.logins", "velocity.distinct_ip.5_minutes"];
const TEXTS = ["url", "user_agent", "os", "linked_id", "facts.email", "context.user_id"];
const FLAGS = ["vpn", "proxy", "facts.member", "checks.stale", "has(url)", "has(facts.tags)", "has(labels)"];
const PATTERNS = ["a|b", "(x+x+)+y", "(?i)bot$", "^[^/]*$", "[ab]*a[ab]{6}c"];
const SOUGHT = ["a", "aab", "aaaaaaaab", "İ", "€"];

const macro = fc.constantFrom("exists", "all", "exists_one");
const quoted = (texts: readonly string[]) => fc.constantFrom(...texts.map((text) => JSON.stringify(text)));

/** Texts of conditions made of everything a condition may hold. Many say nothing, and some take too long. */
export const { condition: anyCondition } = fc.letrec<Parts>((tie: fc.LetrecTypedTie<Parts>) => {
  const joined = (part: keyof Parts) =>
    fc.oneof(
      fc.tuple(tie(part), fc.constantFrom("&&", "||"), tie(part)).map(([a, op, b]) => `(${a} ${op} ${b})`),
      tie(part).map((a) => `!(${a})`),
      fc.tuple(tie(part), tie(part), tie(part)).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    );
  const tested = (text: fc.Arbitrary<string>, other: fc.Arbitrary<string>) =>
    fc.oneof(
      fc
        .tuple(text, fc.constantFrom("contains", "startsWith", "endsWith"), quoted(SOUGHT))
        .map(([subject, test, sought]) => `${subject}.${test}(${sought})`),
      fc.tuple(text, quoted(PATTERNS)).map(([subject, pattern]) => `${subject}.matches(${pattern})`),
      fc.tuple(text, fc.constantFrom("devices", "throwaway")).map(([item, list]) => `${item} in lists.${list}`),
      fc.tuple(text, fc.constantFrom("==", "!="), quoted(["a", "bot"])).map((parts) => parts.join(" ")),
      fc.tuple(text, fc.constantFrom("==", "!="), other).map((parts) => parts.join(" ")),
      text.map((subject) => `${subject} in ["a", "b"]`),
    );
  // A macro cannot stand inside of another.
  const plain = fc.constantFrom(...TEXTS, "lower(url)");
  const tag = fc.constantFrom("e", "lower(e)");
  const label = fc.constantFrom("e.label", "lower(e.label)");
  return {
    condition: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom(...FLAGS),
      joined("condition"),
      tested(tie("text"), tie("text")),
      fc.tuple(tie("number"), fc.constantFrom("<", ">=", "=="), tie("number")).map((parts) => `(${parts.join(" ")})`),
      fc.tuple(macro, tested(tag, plain)).map(([name, inner]) => `facts.tags.${name}(e, ${inner})`),
      fc.tuple(macro, tie("element")).map(([name, inner]) => `labels.${name}(e, ${inner})`),
      fc.constantFrom("ip_address in lists.offices", '"vip" in facts.tags', "facts.amount in lists.networks"),
    ),
    element: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom("e.prediction", "e.ml_score > 0.5", "has(e.label)", "e.ml_score > suspect_score"),
      tested(label, plain),
      joined("element").map((inner) => `(e.prediction && ${inner})`),
    ),
    number: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom(...NUMBERS, "0.0", "2.5", "age(timestamp)", "age(facts.amount)"),
      fc.tuple(tie("number"), fc.constantFrom("+", "*", "/"), tie("number")).map((parts) => `(${parts.join(" ")})`),
    ),
    text: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom(...TEXTS),
      tie("text").map((text) => `lower(${text})`),
      fc.tuple(tie("condition"), tie("text"), tie("text")).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    ),
  };
});
