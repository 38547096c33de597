/** One thing that is wrong with a ruleset's text. Lines and columns count from 1. */
export interface RulesetFault {
  /** A file with an error does not load; a warning is told and changes nothing. */
  readonly severity: "error" | "warning";
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** `file:line:column`, what is wrong and what was probably meant, then the source line with a caret. */
  readonly text: string;
}

/** A ruleset that cannot be loaded. Carries every fault that was found; mend the file and load it again. */
export class RulesetError extends Error {
  readonly code = "ruleset_invalid";
  readonly faults: readonly RulesetFault[];

  constructor(faults: readonly RulesetFault[]) {
    super(faults.map((fault) => fault.text).join("\n\n"));
    this.name = "RulesetError";
    this.faults = faults;
  }
}

/** Gathers the faults of one text by character offset. */
export class FaultList {
  readonly #file: string;
  readonly #lines: readonly string[];
  readonly #faults = new Map<string, RulesetFault>();

  constructor(file: string, text: string) {
    this.#file = file;
    this.#lines = text.split("\n");
  }

  /** Records a fault; the same message at the same place counts once. */
  add(offset: number, message: string): void {
    const { line, column } = this.#positionOf(offset);
    const text = this.#render(line, column, message);
    this.#faults.set(text, { severity: "error", file: this.#file, line, column, message, text });
  }

  get isEmpty(): boolean {
    return this.#faults.size === 0;
  }

  /** Throws a RulesetError with all faults in the order of the text; returns when there are none. */
  throwIfAny(): void {
    if (this.isEmpty) return;
    throw new RulesetError([...this.#faults.values()].toSorted((a, b) => a.line - b.line || a.column - b.column));
  }

  /** The source line that holds an offset, without its line break. */
  lineAt(offset: number): string {
    return this.#lineText(this.#positionOf(offset).line);
  }

  #positionOf(offset: number): { line: number; column: number } {
    let start = 0;
    let line = 1;
    for (const text of this.#lines) {
      const end = start + text.length;
      if (offset <= end || line === this.#lines.length) return { line, column: Math.min(offset, end) - start + 1 };
      start = end + 1;
      line += 1;
    }
    return { line, column: 1 };
  }

  #render(line: number, column: number, message: string): string {
    const source = this.#lineText(line);
    const number = String(line);
    const gutter = " ".repeat(number.length);
    // Tabs are kept, so that the caret stands under its character however wide a tab is shown.
    const indent = source.slice(0, column - 1).replaceAll(/[^\t]/g, " ");
    return `${this.#file}:${line}:${column}: ${message}\n  ${number} | ${source}\n  ${gutter} | ${indent}^`;
  }

  #lineText(line: number): string {
    return (this.#lines[line - 1] ?? "").replace(/\r$/, "");
  }
}
