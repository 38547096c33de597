// Measures the costliest conditions that load, each on the event that is worst for it, beside what they were estimated
// to take: npx tsx --conditions=@assay/source packages/rules/bench/cost.ts
import { inputOf } from "../test/build.ts";
import { CATALOGUE, LISTS, read } from "../test/condition.ts";
import { compile } from "../src/condition/compile.ts";
import { costOf } from "../src/condition/cost.ts";
import { MAX_ELEMENT_TEXT, MAX_ELEMENTS, MAX_TEXT } from "../src/condition/limits.ts";
import { SlotTable } from "../src/condition/slots.ts";

const BATCHES = 20;
const BATCH = 30;

const long = (unit: string) => unit.repeat(MAX_TEXT).slice(0, MAX_TEXT);
const tags = (unit: string) => Array.from({ length: MAX_ELEMENTS }, () => unit.repeat(MAX_ELEMENT_TEXT));
const half = (end: string) => "x".repeat(170_000) + end;
const many = (count: number, one: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => one(i)).join(" || ");
const nested = (depth: number): string =>
  depth === 0 ? "vpn" : `(${nested(depth - 1)} ${depth % 2 === 0 ? "&&" : "||"} suspect_score > ${depth})`;

const cases: readonly [string, string, Record<string, unknown>, Record<string, unknown>?][] = [
  ["contains, short", many(15, (i) => `url.contains("a${String.fromCharCode(98 + i)}")`), { url: long("a") }],
  ["contains, long", many(15, (i) => `url.contains("${"aaaaab".repeat(20)}${i}")`), { url: long("aaaaab") }],
  ["matches", many(16, (i) => `url.matches("(x+x+)+y${i}")`), { url: long("x") }],
  ["matches, not Latin", many(16, (i) => String.raw`url.matches("\\p{Greek}+\\p{Cyrillic}${i}")`), { url: long("λ€") }],
  ["matches, many states", many(4, (i) => `url.matches("[ab]*a[ab]{6}c${i}")`), { url: long("aabab") }],
  [
    "lower",
    many(5, (i) => `lower(${["url", "os", "device", "linked_id", "user_agent"][i]}) == "a"`),
    Object.fromEntries(["url", "os", "device", "linked_id", "user_agent"].map((name) => [name, long("İ")])),
  ],
  [
    "macro of lower",
    'facts.tags.exists(t, lower(t).contains("ab") || lower(t).matches("(x+x+)+y"))',
    {},
    { tags: tags("İ") },
  ],
  [
    "look-ups",
    many(24, (i) => `${["ip_address", "ip_info.v6.address", "context.ip"][i % 3]} in lists.offices`),
    { ip_address: "2001:db8:1:2:3:4:5:6" },
  ],
  ["macro of domains", "facts.tags.exists(t, t in lists.throwaway)", {}, { tags: tags("ü") }],
  [
    "long equals",
    many(5, (i) => `url == ${["os", "device", "linked_id", "user_agent", "client_referrer"][i]}`),
    { url: half("€"), os: half("€"), device: half("y€") },
  ],
  [
    "macro of equals",
    "facts.tags.exists(t, t == linked_id)",
    { linked_id: half("€") },
    { tags: [half("€").slice(0, -1), half("z").slice(1)] },
  ],
  ["many nodes", many(150, (i) => `suspect_score == ${i}`), { suspect_score: 1000 }],
  ["deep nodes", nested(28), { vpn: true, suspect_score: 0 }],
  [
    "list of labels",
    `labels.exists(l, ${many(30, (i) => `l.ml_score == 0.${i + 1}`)})`,
    { labels: Array.from({ length: MAX_ELEMENTS }, () => ({ ml_score: 0.99 })) },
  ],
];

console.log("condition                 estimate µs   first µs   median µs   worst µs   of the estimate");
for (const [name, text, signals, facts] of cases) {
  const { expression, faults } = read(text);
  if (expression === undefined) throw new Error(`${name}: ${faults.join("\n")}`);
  const slots = new SlotTable(LISTS);
  const term = compile(expression, slots);
  // As it comes from the wire: texts are flat.
  const input = inputOf(JSON.parse(JSON.stringify(signals)), facts === undefined ? {} : { context: { facts } });
  const once = () => {
    const values = slots.read(input);
    if (term.evaluate(values) === undefined) term.missing(values, new Set());
    else term.explain(values, {});
  };
  const first = microsecondsOf(once);
  const batches = Array.from({ length: BATCHES }, () => microsecondsOf(() => repeat(once)) / BATCH);
  const sorted = batches.slice(BATCHES / 2).toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? 0;
  const worst = sorted.at(-1) ?? 0;
  const estimate = costOf(expression, CATALOGUE.lists) / 1000;
  const cells = [estimate, first, median, worst].map((us) => us.toFixed(0).padStart(10));
  console.log(`${name.padEnd(24)}${cells.join(" ")}   ${((median / estimate) * 100).toFixed(0)} %`);
}

function repeat(once: () => void): void {
  for (let round = 0; round < BATCH; round++) once();
}

/** Of the processor, which other processes do not lengthen. */
function microsecondsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
