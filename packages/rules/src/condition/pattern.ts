import { RE2JS, RE2JSException } from "re2js";
import { RuneClasses } from "./rune-classes.ts";

/** A pattern that looks at every character of a text once, in the same time whatever the text is. */
export interface Pattern {
  /** Whether it matches anywhere in a text. */
  test(text: string): boolean;
}

/** Most instructions of a pattern's program, states of its automaton, and steps taken to build that. */
const MAX_PROGRAM = 1000;
const MAX_STATES = 2000;
const MAX_WORK = 500_000;

/** What is used of the library's automaton; it makes states when they are asked for. */
interface Automaton {
  /** Characters from one bound to the next are alike to the pattern. */
  readonly classBounds: Int32Array;
  readonly numClasses: number;
  start(input: { context(): number }, at: number): State | null;
  step(state: State, runeClass: number, rune: number, anchor: number): State | null;
}

interface State {
  readonly isMatch: boolean;
  readonly nfaStates: readonly number[];
}

/** Stands for the row of every state that matches: the rest of the text is not looked at. */
const MATCH = -1;
const UNANCHORED = 0;
const BEGIN_OF_TEXT = 4;
const END_OF_TEXT = -1;

/** Patterns are compiled to be checked, and again wherever they are used. */
const known = new Map<string, Pattern | string>();
const MAX_KNOWN = 512;

/**
 * Compiles a pattern in RE2's syntax; what is wrong with it otherwise. All states are made here, so that no text can
 * make more: a pattern with too many is refused.
 */
export function compilePattern(pattern: string): Pattern | string {
  const compiled = known.get(pattern) ?? compileNew(pattern);
  if (known.size === MAX_KNOWN) known.clear();
  known.set(pattern, compiled);
  return compiled;
}

function compileNew(pattern: string): Pattern | string {
  let regex: RE2JS;
  try {
    regex = RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    if (/\(\?<?[=!]/.test(pattern)) return "RE2 looks neither ahead nor back: there is no (?=, (?!, (?<= or (?<!.";
    return `This pattern cannot be read: ${error.message.replace(/^error parsing regexp: /, "")}. It is in RE2's syntax.`;
  }
  if (regex.programSize() > MAX_PROGRAM) return "This pattern is too large. Repeat less of it.";
  const automaton: Automaton = regex.re2().dfa;
  const table = build(automaton);
  if (table?.isAlwaysTrue === true) return "This pattern matches every text.";
  if (table?.isNeverTrue === true) return "This pattern matches no text.";
  return table ?? "This pattern has too many ways to match. Make it simpler, or repeat less of it.";
}

function build(automaton: Automaton): Table | undefined {
  const { numClasses, classBounds } = automaton;
  const start = automaton.start({ context: () => BEGIN_OF_TEXT }, 0);
  if (start === null) return undefined;
  const width = numClasses + 1;
  const rows = new Map<State, number>([[start, 0]]);
  const next: number[] = [];
  let work = 0;
  for (const state of rows.keys()) {
    for (let runeClass = 0; runeClass < width; runeClass++) {
      const rune = runeClass === numClasses ? END_OF_TEXT : (classBounds[runeClass - 1] ?? 0);
      const after = automaton.step(state, runeClass, rune, UNANCHORED);
      if (after === null) return undefined;
      work += after.nfaStates.length + 1;
      if (!after.isMatch && !rows.has(after)) rows.set(after, rows.size * width);
      next.push(after.isMatch ? MATCH : (rows.get(after) ?? 0));
    }
    if (work > MAX_WORK || rows.size > MAX_STATES) return undefined;
  }
  return new Table(new RuneClasses(classBounds), Int32Array.from(next));
}

class Table implements Pattern {
  readonly #classes: RuneClasses;
  /** Where the row of the next state begins, by row and class; the last class is the end of the text. */
  readonly #next: Int32Array;

  constructor(classes: RuneClasses, next: Int32Array) {
    this.#classes = classes;
    this.#next = next;
  }

  get isAlwaysTrue(): boolean {
    return this.#next.subarray(0, this.#classes.count + 1).every((row) => row === MATCH);
  }

  get isNeverTrue(): boolean {
    return !this.#next.includes(MATCH);
  }

  test(text: string): boolean {
    const classes = this.#classes;
    const next = this.#next;
    let row = 0;
    for (let at = 0; at < text.length; at++) {
      let rune = text.charCodeAt(at);
      if (rune >= 0xd800 && rune < 0xdc00) {
        rune = text.codePointAt(at) ?? rune;
        if (rune > 0xffff) at++;
      }
      row = next[row + classes.of(rune)] ?? 0;
      if (row === MATCH) return true;
    }
    return next[row + classes.count] === MATCH;
  }
}
