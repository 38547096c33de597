/** One thing that is wrong with a ruleset's text. Lines and columns count from 1. */
export interface RulesetFault {
  /** A file with an error does not load; a warning is told and changes nothing. */
  readonly severity: "error" | "warning";
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /**
   * `file:line:column`, what is wrong and what was probably meant, the source line with a caret, and for a part the
   * rulesets for which it is wrong.
   */
  readonly text: string;
}

/** Rulesets that cannot be loaded. Carries every error that was found; mend the files and load them again. */
export class RulesetError extends Error {
  readonly code = "ruleset_invalid";
  /** Each once, by file, line and column. */
  readonly faults: readonly RulesetFault[];

  constructor(faults: readonly RulesetFault[]) {
    super(faults.map((fault) => fault.text).join("\n\n"));
    this.name = "RulesetError";
    this.faults = faults;
  }
}

/** The faults of all files that a ruleset, or a folder of them, is made of. */
export class Faults {
  readonly #lists: FaultList[] = [];

  /**
   * The list for one file. Without a text, its faults are about the file as a whole. `includedBy` is the file for which
   * a part is read, as what is wrong with a part may be so for one ruleset only.
   */
  of(file: string, text?: string, includedBy?: string): FaultList {
    const list = new FaultList(file, text, includedBy);
    this.#lists.push(list);
    return list;
  }

  /** Adds the faults of a file that was read before, for another ruleset. */
  take(list: FaultList): void {
    this.#lists.push(list);
  }

  /** Adds the faults of other files. */
  join(others: Faults): void {
    this.#lists.push(...others.#lists);
  }

  /** All faults of a severity, each once, by file, line and column. */
  sorted(severity: RulesetFault["severity"]): RulesetFault[] {
    const found = new Map<string, { fault: RulesetFault; includers: Set<string> }>();
    for (const { faults, includedBy } of new Set(this.#lists)) {
      for (const fault of faults) {
        if (fault.severity !== severity) continue;
        const known = found.get(fault.text) ?? { fault, includers: new Set() };
        found.set(fault.text, known);
        if (includedBy !== undefined) known.includers.add(includedBy);
      }
    }
    return [...found.values()]
      .map(({ fault, includers }) => withIncluders(fault, [...includers]))
      .toSorted((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column);
  }

  /** Throws a RulesetError with all errors; returns when there are none. */
  throwIfAny(): void {
    const errors = this.sorted("error");
    if (errors.length > 0) throw new RulesetError(errors);
  }
}

function withIncluders(fault: RulesetFault, includers: readonly string[]): RulesetFault {
  if (includers.length === 0) return fault;
  const gutter = " ".repeat(String(fault.line).length);
  return { ...fault, text: `${fault.text}\n  ${gutter} = in a part of ${includers.toSorted().join(", ")}` };
}

/** Gathers the faults of one text by character offset. */
export class FaultList {
  /** What faults call the text. */
  readonly file: string;
  readonly text: string;
  /** The file for which a part is read. */
  readonly includedBy: string | undefined;
  readonly #isWhole: boolean;
  readonly #faults: RulesetFault[] = [];
  /** Found once, as every rule asks for its line. */
  #lineStarts: readonly number[] | undefined;

  constructor(file: string, text?: string, includedBy?: string) {
    this.file = file;
    this.includedBy = includedBy;
    this.text = text ?? "";
    this.#isWhole = text === undefined;
  }

  /** Records what keeps the text from loading. */
  add(offset: number, message: string): void {
    this.#record("error", offset, message);
  }

  /** Records what loads but deserves a look. */
  warn(offset: number, message: string): void {
    this.#record("warning", offset, message);
  }

  /** In the order they were found. */
  get faults(): readonly RulesetFault[] {
    return this.#faults;
  }

  /** Whether nothing keeps the text from loading. */
  get isEmpty(): boolean {
    return this.#faults.every(({ severity }) => severity === "warning");
  }

  /** The source line that holds an offset, without its line break. */
  lineAt(offset: number): string {
    const start = this.text.slice(0, offset).lastIndexOf("\n") + 1;
    const end = this.text.indexOf("\n", offset);
    return this.text.slice(start, end === -1 ? undefined : end).replace(/\r$/, "");
  }

  /** `file:line:column` of an offset. */
  placeOf(offset: number): string {
    const { line, column } = this.positionOf(offset);
    return `${this.file}:${line}:${column}`;
  }

  /** The line and column of an offset, from 1. */
  positionOf(offset: number): { line: number; column: number } {
    this.#lineStarts ??= lineStartsOf(this.text);
    let low = 0;
    let high = this.#lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: Math.min(offset, this.text.length) - (this.#lineStarts[low] ?? 0) + 1 };
  }

  #record(severity: RulesetFault["severity"], offset: number, message: string): void {
    const position = this.positionOf(offset);
    const text = this.#isWhole ? `${this.file}: ${message}` : this.#render(offset, message);
    this.#faults.push({ severity, file: this.file, ...position, message, text });
  }

  #render(offset: number, message: string): string {
    const { line, column } = this.positionOf(offset);
    const { source, before } = excerptOf(this.lineAt(offset), column - 1);
    const number = String(line);
    const gutter = " ".repeat(number.length);
    // Tabs are kept, so that the caret stands under its character however wide a tab is shown.
    const indent = before.replaceAll(/[^\t]/g, " ");
    return `${this.placeOf(offset)}: ${message}\n  ${number} | ${source}\n  ${gutter} | ${indent}^`;
  }
}

/** Longest source line that is shown whole, and how much of a longer one stands before its fault. */
const MAX_SHOWN = 200;
const SHOWN_BEFORE = 100;

// A line that nobody wrote by hand, such as a file of JSON, would fill the screen.
function excerptOf(line: string, at: number): { source: string; before: string } {
  if (line.length <= MAX_SHOWN) return { source: line, before: line.slice(0, at) };
  const start = Math.max(0, at - SHOWN_BEFORE);
  const end = start + MAX_SHOWN;
  const head = start === 0 ? "" : "…";
  return {
    source: `${head}${line.slice(start, end)}${end < line.length ? "…" : ""}`,
    before: head + line.slice(start, at),
  };
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}
