import { Composer, CST, type ParsedNode, Parser } from "yaml";
import type { FaultList } from "./fault.ts";
import { quotingAdvice } from "./quoting-advice.ts";

/** Longest text, in characters. */
const MAX_TEXT = 512 * 1024;

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
  const tokens = [...new Parser().parse(text)];
  const openQuote = refuseTraps(tokens, faults);
  // A trap is often also the cause of the parser's own errors, so these would only repeat it.
  if (!faults.isEmpty) return undefined;
  const composer = new Composer({ prettyErrors: false, strict: true, uniqueKeys: true });
  const [document] = composer.compose(tokens, true, text.length);
  if (document === undefined) return undefined;
  let faultyLine: number | undefined;
  for (const { pos, message } of [...document.errors, ...document.warnings]) {
    // What follows in a line that cannot be read only repeats its first error.
    const { line } = faults.positionOf(pos[0]);
    if (line === faultyLine) continue;
    faultyLine = line;
    if (openQuote !== undefined) {
      faults.add(openQuote, "This text has no closing quote.");
      continue;
    }
    // An open bracket is reported where the next key stands; it is the bracket that needs a quote.
    const before = text.slice(0, pos[0]);
    const at = message.startsWith("Flow ") ? Math.max(before.lastIndexOf("["), before.lastIndexOf("{")) : pos[0];
    faults.add(at, `${message}.${quotingAdvice(faults.lineAt(at))}`);
  }
  return faults.isEmpty ? (document.contents ?? undefined) : undefined;
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
