import { Composer, CST, type ParsedNode, Parser } from "yaml";
import type { FaultList } from "./fault.ts";
import { quotingAdvice } from "./quoting-advice.ts";
import { describeYamlError } from "./yaml-error.ts";

/** Longest text, in characters. */
const MAX_TEXT = 512 * 1024;
/** Deepest nesting; the library would run out of stack somewhere above. */
const MAX_DEPTH = 32;

/** White space that looks like an indent or a line break and is none to YAML. */
const ODD_SPACE = /^ *[^\S \t\r\n\uFEFF]|\r(?!\n)/m;

const TRAPS: ReadonlyMap<string, string> = new Map([
  ["tag", "a tag"],
  ["anchor", "an anchor"],
  ["alias", "an alias"],
]);

/**
 * Parses the YAML of a file to its root node. Undefined when it holds nothing but comments; undefined, with faults, when
 * it is not one plain document: YAML that could silently mean something else than its reader thinks (tags, anchors,
 * aliases, directives) is refused like broken YAML.
 */
export function parseYaml(faults: FaultList): ParsedNode | undefined {
  const { text } = faults;
  if (text.length > MAX_TEXT) {
    faults.add(0, `A file of rules may be at most ${MAX_TEXT} characters long; this one has ${text.length}.`);
    return undefined;
  }
  const odd = ODD_SPACE.exec(text);
  if (odd !== null) {
    faults.add(odd.index + odd[0].length - 1, describeOddSpace(odd[0].at(-1) ?? ""));
    return undefined;
  }
  const tokens = [...new Parser().parse(text)];
  const tooDeep = tokens.map(beyondDepth).find((offset) => offset !== undefined);
  if (tooDeep !== undefined) {
    faults.add(tooDeep, `A file of rules may be nested at most ${MAX_DEPTH} deep. Is a closing bracket missing?`);
    return undefined;
  }
  const openQuote = refuseTraps(tokens, faults);
  // A trap is often also the cause of the parser's own errors, so these would only repeat it.
  if (!faults.isEmpty) return undefined;
  const composer = new Composer({ prettyErrors: false, strict: true, uniqueKeys: true });
  const [document] = composer.compose(tokens, true, text.length);
  if (document === undefined) return undefined;
  let faultyLine: number | undefined;
  for (const error of [...document.errors, ...document.warnings]) {
    const { pos } = error;
    // What follows in a line that cannot be read only repeats its first error.
    const { line } = faults.positionOf(pos[0]);
    if (line === faultyLine) continue;
    faultyLine = line;
    if (openQuote !== undefined) {
      faults.add(openQuote, "This text has no closing quote.");
      continue;
    }
    const { at, message } = describeYamlError(error, faults);
    faults.add(at, message);
  }
  return faults.isEmpty ? (document.contents ?? undefined) : undefined;
}

function describeOddSpace(character: string): string {
  if (character === "\r") return "This line ends as on old Macs. Save the file with line ends of Unix or Windows.";
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return `Here is white space that only looks like a space (U+${code}). Indent with plain spaces.`;
}

// The place of the first value that is nested too deeply.
function beyondDepth(token: CST.Token): number | undefined {
  const open: { token: CST.Token; depth: number }[] = [{ token, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token: part, depth } = next;
    if (depth > MAX_DEPTH) return part.offset;
    if (part.type === "document" && part.value !== undefined) open.push({ token: part.value, depth });
    if (!("items" in part)) continue;
    for (const { key, value } of part.items) {
      for (const inner of [key, value]) if (inner) open.push({ token: inner, depth: depth + 1 });
    }
  }
  return undefined;
}

// Returns where a text begins that never ends: YAML itself reports such a text where the file ends.
function refuseTraps(tokens: readonly CST.Token[], faults: FaultList): number | undefined {
  const { text } = faults;
  let openQuote: number | undefined;
  let documents = 0;
  let trappedLine: number | undefined;
  for (const token of tokens) {
    if (token.type === "directive")
      faults.add(token.offset, "A file of rules has no YAML directives. Remove this line.");
    if (token.type !== "document") continue;
    documents += 1;
    if (documents > 1) faults.add(token.offset, "A file holds one YAML document. Put the second into its own file.");
    CST.visit(token, (item) => {
      for (const part of [...item.start, ...(item.sep ?? []), item.key, item.value]) {
        if (part === undefined || part === null) continue;
        if (isUnclosed(part)) openQuote ??= part.offset;
        const name = TRAPS.get(part.type);
        const line = text.lastIndexOf("\n", part.offset);
        if (name === undefined || line === trappedLine) continue;
        trappedLine = line;
        const fault = `YAML reads ${CST.stringify(part).trim()} as ${name}, not as part of the value.`;
        faults.add(part.offset, fault + quotingAdvice(faults.lineAt(part.offset)));
      }
    });
  }
  return openQuote;
}

function isUnclosed(part: CST.Token): boolean {
  if (part.type === "double-quoted-scalar") return !/^"(?:\\[\s\S]|[^"\\])*"$/.test(part.source);
  return part.type === "single-quoted-scalar" && !/^'(?:''|[^'])*'$/.test(part.source);
}
