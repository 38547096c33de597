/** Stands in a log line for what may not be there. */
export const REDACTED = "[redacted]";

/** Deepest nesting of a logged value; what lies below is cut. */
const MAX_DEPTH = 6;
/** Longest chain of causes that is printed. */
const MAX_CAUSES = 5;

const SENSITIVE_WORDS = [
  // Secrets.
  ["api", "key"],
  ["authorization"],
  ["basic", "auth"],
  ["cookie"],
  ["fpjs", "event", "signature"],
  ["idempotency", "key"],
  ["key"],
  ["keys"],
  ["password"],
  ["secret"],
  ["secrets"],
  ["signature"],
  ["token"],
  // What was handed in, and what is in it.
  ["body"],
  ["event"],
  ["evidence"],
  ["facts"],
  ["payload"],
  ["raw"],
  ["sealed", "result"],
  ["signals"],
  ["tags"],
  // People and their devices.
  ["headers"],
  ["ip"],
  ["ip", "address"],
  ["ip", "info"],
  ["linked", "id"],
  ["remote", "address"],
  ["url"],
  ["user", "agent"],
  ["user", "id"],
  ["visitor", "id"],
  ["x", "forwarded", "for"],
];

/** The names under which a secret or a person may hide, in snake_case, camelCase and kebab-case. */
export const SENSITIVE_NAMES: ReadonlySet<string> = new Set(
  SENSITIVE_WORDS.flatMap((words) => [words.join("_"), words.join("-"), camelCase(words)]),
);

/** What a log line says of an error. Own properties are left out: the vendor's unseal error carries its AES keys. */
export interface SafeError {
  readonly name: string;
  readonly code?: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: SafeError;
}

/**
 * A copy of a log line's fields that may be printed: sensitive names are redacted at any depth, errors are reduced,
 * bytes are counted, and objects of classes are named instead of walked.
 */
export function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  return redactRecord(fields, 0);
}

function redactRecord(fields: object, depth: number): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    safe[name] = SENSITIVE_NAMES.has(name) && value !== undefined ? REDACTED : redactValue(value, depth);
  }
  return safe;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return safeError(value);
  if (value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return "[deeper]";
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return redactRecord(value, depth + 1);
  return `[${value.constructor.name}]`;
}

/** Reduces an error to its name, code, message and stack, and its causes to name, code and message. */
export function safeError(error: unknown): SafeError {
  if (!(error instanceof Error)) return { name: "NotAnError", message: `a ${typeof error} was thrown` };
  const frames = error.stack?.split("\n").filter((line) => /^\s+at /.test(line));
  return {
    ...describe(error, 0),
    ...(frames === undefined || frames.length === 0 ? {} : { stack: frames.map((line) => line.trim()).join("\n") }),
  };
}

function describe(error: Error, depth: number): SafeError {
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return {
    name: error.name,
    ...(code === undefined ? {} : { code }),
    message: safeMessage(error.message),
    ...(error.cause instanceof Error && depth < MAX_CAUSES ? { cause: describe(error.cause, depth + 1) } : {}),
  };
}

/** A message without the snippet that a failed JSON.parse quotes from its input. */
export function safeMessage(message: string): string {
  return message.replace(/Unexpected token .* is not valid JSON/s, "the text is not valid JSON");
}

function camelCase(words: readonly string[]): string {
  return words.map((word, index) => (index === 0 ? word : `${word[0]?.toUpperCase()}${word.slice(1)}`)).join("");
}
