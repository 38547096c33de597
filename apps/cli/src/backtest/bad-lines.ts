import { CommandError, EXIT } from "../report.ts";

/** A line that holds no row. */
export interface BadLine {
  /** From 1. */
  readonly line: number;
  readonly why: string;
}

const MOST_SHOWN = 10;

/** Counts bad lines, and keeps the first ten. */
export class BadLines {
  readonly first: BadLine[] = [];
  count = 0;
  readonly #name: string;
  readonly #most: number;

  /** `name` is what messages call the rows; more than `most` are too many. */
  constructor(name: string, most: number) {
    this.#name = name;
    this.#most = most;
  }

  /** Forgets all, as the rows are read once more. */
  clear(): void {
    this.first.length = 0;
    this.count = 0;
  }

  /** Throws a CommandError when there are too many. */
  add(bad: BadLine): void {
    this.count += 1;
    if (this.first.length < MOST_SHOWN) this.first.push(bad);
    if (this.count <= this.#most) return;
    const shown = this.first.map(({ line, why }) => `  ${this.#name}:${line}: ${why}`).join("\n");
    const message = `${this.#name} has more than ${this.#most} bad lines. Mend them, or allow more by --max-bad.\n${shown}`;
    throw new CommandError(EXIT.usage, message);
  }
}
