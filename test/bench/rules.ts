// How long forty rules take on one event: Assay, other engines, and closures written by hand, in one run.
//   npm run bench:rules
import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { loadRuleset } from "@assay/rules";
import { judgeConditions } from "@assay/rules/bench/conditions";
import { rulesetOf } from "./rules/assay.ts";
import { judgeByHand } from "./rules/by-hand.ts";
import { judgeByCelLibrary } from "./rules/cel-library.ts";
import { type Found, FORTY_RULES } from "./rules/forty-rules.ts";
import { judgeByJsonLogic } from "./rules/json-logic.ts";
import { judgeByJsonRules } from "./rules/json-rules.ts";
import { flat, someEvents } from "./rules/one-event.ts";
import { judgeByZen } from "./rules/zen.ts";

/** One engine with the forty rules, which is handed one of many equal events by its number. */
interface Contender {
  readonly name: string;
  /** The library whose version is shown. */
  readonly library?: string;
  /** What is timed. */
  readonly judge: (index: number) => unknown;
  /** What it found. */
  readonly found: (index: number) => Found | Promise<Found>;
  /** Microseconds an event, one figure a round. */
  readonly micros: number[];
}

const ROUNDS = 15;
const WARM_UP_MS = 500;
const ROUND_MS = 120;
const EVENTS = 64;

const events = someEvents(EVENTS);
// What an engine is handed is made ready before the clock starts, as each wants it.
const inputs = events.map((said) => ({ ...said, receivedAt: said.event.timestamp, kind: "sealed" as const }));
const flats = events.map(flat);
const text = rulesetOf(FORTY_RULES);
const ruleset = loadRuleset(text, { file: "bench.yaml" });

const wholeDecision: Contender = {
  name: "Assay, the whole decision",
  judge: (index) => ruleset.decide(at(inputs, index)),
  found: (index) => {
    const { score, reasons } = ruleset.decide(at(inputs, index));
    return { score, hits: reasons.map(({ rule }) => rule) };
  },
  micros: [],
};
const conditionsAlone = contender("Assay, conditions alone", inputs, judgeConditions(text));
const celTyped = contender("CEL library, typed", flats, judgeByCelLibrary(FORTY_RULES, true), "@marcbachmann/cel-js");
const celUntyped = contender(
  "CEL library, untyped",
  flats,
  judgeByCelLibrary(FORTY_RULES, false),
  "@marcbachmann/cel-js",
);
const jsonRules = contender("json-rules-engine", flats, judgeByJsonRules(FORTY_RULES), "json-rules-engine");
const byHand = contender("closures written by hand", events, judgeByHand);
const contenders = [
  byHand,
  conditionsAlone,
  wholeDecision,
  contender("json-logic-engine, built", flats, judgeByJsonLogic(FORTY_RULES), "json-logic-engine"),
  celTyped,
  celUntyped,
  contender("Zen, one graph", flats, judgeByZen(FORTY_RULES), "@gorules/zen-engine"),
  jsonRules,
];

await seeThatAllAgree();
const loadBefore = loadavg()[0] ?? 0;
for (const one of contenders) await microsOf(one, WARM_UP_MS);
for (let round = 0; round < ROUNDS; round++) {
  // Every second round in reverse, so that a noisy machine troubles all alike.
  for (const one of round % 2 === 0 ? contenders : contenders.toReversed()) {
    one.micros.push(await microsOf(one, ROUND_MS));
  }
}
print();

function contender<T>(
  name: string,
  given: readonly T[],
  judge: (one: T) => Found | Promise<Found>,
  library?: string,
): Contender {
  const found = (index: number) => judge(at(given, index));
  return { name, judge: found, found, micros: [], ...(library === undefined ? {} : { library }) };
}

function at<T>(given: readonly T[], index: number): T {
  const one = given[index % EVENTS];
  if (one === undefined) throw new RangeError(`There is no event ${index}.`);
  return one;
}

async function seeThatAllAgree(): Promise<void> {
  const expected = summaryOf(await byHand.found(0));
  for (const { name, found } of contenders) {
    const actual = summaryOf(await found(0));
    if (actual !== expected) throw new Error(`${name} finds ${actual}, and by hand it is ${expected}.`);
  }
}

function summaryOf({ score, hits }: Found): string {
  return `${score}: ${hits.toSorted().join(" ")}`;
}

// Judges one after another for so long, looking at the clock now and then only.
async function microsOf({ judge }: Contender, forMs: number): Promise<number> {
  const isAsync = judge(0) instanceof Promise;
  const start = performance.now();
  let judged = 0;
  let elapsedMs = 0;
  while (elapsedMs < forMs) {
    for (let index = 0; index < EVENTS; index++) {
      // To await what is no promise would cost a turn of the event loop.
      if (isAsync) await judge(index);
      else judge(index);
    }
    judged += EVENTS;
    elapsedMs = performance.now() - start;
  }
  return (elapsedMs * 1000) / judged;
}

function print(): void {
  const hand = medianOf(byHand.micros);
  const decision = medianOf(wholeDecision.micros);
  const alone = medianOf(conditionsAlone.micros);
  const load = `load ${loadBefore.toFixed(1)} before, ${(loadavg()[0] ?? 0).toFixed(1)} after`;
  console.log(
    `${FORTY_RULES.length} rules, one event of a browser. ${cpus().length} × ${cpus()[0]?.model ?? "?"}, Node`,
  );
  console.log(`${process.versions.node}, ${load}. Median of ${ROUNDS} rounds in turns, fastest and slowest.\n`);
  const rows = contenders.map(({ name, library, micros }) => {
    const median = medianOf(micros);
    const spread = `${Math.min(...micros).toFixed(2)}–${Math.max(...micros).toFixed(2)}`;
    const version = library === undefined ? "" : ` ${versionOf(library)}`;
    const ratios = [median / decision, median / alone, median / hand].map((ratio) => ratio.toFixed(2).padStart(10));
    return `${(name + version).padEnd(34)}${median.toFixed(2).padStart(10)}  ${spread.padEnd(18)}${ratios.join("")}`;
  });
  const head = `${"".padEnd(34)}${"µs/event".padStart(10)}  ${"".padEnd(18)}`;
  console.log(`${head}${["× decision", "× alone", "× by hand"].map((title) => title.padStart(10)).join("")}`);
  console.log(`${rows.join("\n")}\n`);
  const cel = Math.min(medianOf(celTyped.micros), medianOf(celUntyped.micros));
  const said = (what: string, ratio: number, bound: string) => console.log(`${what} ${ratio.toFixed(1)} (${bound})`);
  said("json-rules-engine ÷ whole decision:", medianOf(jsonRules.micros) / decision, "to reach: 100 or more");
  said("CEL library ÷ whole decision:      ", cel / decision, "to reach: 5 or more");
  said("CEL library ÷ conditions alone:    ", cel / alone, "to reach: 5 or more");
  said("whole decision ÷ by hand:          ", decision / hand, "to reach: 4 or less");
  said("conditions alone ÷ by hand:        ", alone / hand, "to reach: 4 or less");
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function versionOf(library: string): string {
  const file = new URL(`../../node_modules/${library}/package.json`, import.meta.url);
  const { version }: { version: string } = JSON.parse(readFileSync(file, "utf8"));
  return version;
}
