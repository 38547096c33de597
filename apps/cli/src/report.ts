import type { Paint } from "./paint.ts";

/** What the exit code of a command says. Promised by `--help`. */
export const EXIT = { fine: 0, faulty: 1, usage: 2, unavailable: 3 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What a command found. */
export interface Report {
  readonly exitCode: ExitCode;
  /** For programs. */
  readonly json: unknown;
  /** For people; without a line break at its end. */
  readonly text: string;
}

/** What a command knows of the world around it. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Unix ms. */
  readonly now: number;
  readonly paint: Paint;
  /** Prints a line at once: for a command that goes on. What others found is in their Report. */
  print(line: string): void;
  /** What is piped in. */
  stdin(): AsyncIterable<Uint8Array>;
  /** Shows one line in the place of the one before, an empty one to end it. Absent where nobody looks. */
  readonly showProgress?: (line: string) => void;
  /** Threads to share work among, and the file that each runs; absent, all is done on this thread. */
  readonly threads?: { readonly file: URL; readonly count: number };
  /** Resolves when the user ends a command that goes on. Until it is called, the signals do what they always do. */
  interrupted(): Promise<void>;
  /** Bytes that nobody can guess. */
  readonly randomBytes: (size: number) => Uint8Array;
  /** All of standard input, as text. */
  readonly readInput: () => Promise<string>;
}

/** A command could not do its work: the command line or a file is wrong, or something was not found or not reached. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: typeof EXIT.usage | typeof EXIT.unavailable;

  constructor(exitCode: CommandError["exitCode"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
