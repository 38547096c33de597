import { readFileSync } from "node:fs";

/** What every variable says about itself: `describe` ends the sentence "Set NAME to …" in a fault. */
export interface VariableOptions {
  readonly describe?: string;
}

export interface StringOptions extends VariableOptions {
  readonly default?: string;
  /** Keeps the value out of every message. */
  readonly secret?: boolean;
  readonly pattern?: RegExp;
}

export interface IntegerOptions extends VariableOptions {
  readonly default?: number;
  readonly min?: number;
  readonly max?: number;
}

/** Reads variables one by one and remembers every fault. An empty variable counts as one that is not set. */
export interface EnvReader {
  /** A text. A fault when it is neither set nor has a default, or does not match `pattern`. */
  string(name: string, options?: StringOptions): string;
  /** A text, or undefined when it is not set. */
  optional(name: string, options?: Omit<StringOptions, "default">): string | undefined;
  /** A whole number from `min` to `max`, both included. */
  integer(name: string, options?: IntegerOptions): number;
  /** One of a closed list of values. */
  choice<const Value extends string>(
    name: string,
    values: readonly [Value, ...Value[]],
    options?: VariableOptions & { readonly default?: NoInfer<Value> },
  ): Value;
  /** A comma list, trimmed, without empty elements. Not set is the default, or an empty list. */
  list(name: string, options?: VariableOptions & { readonly default?: readonly string[] }): string[];
  /** A secret from NAME, or from the file that NAME_FILE names, trimmed. Both set is a fault. */
  secret(name: string, options?: VariableOptions): string | undefined;
  /** The content of the file that NAME names, trimmed, and its path; undefined when NAME is not set. */
  file(name: string, options?: VariableOptions): SettingsFile | undefined;
  /** A reader of other variables, whose faults join these. A fault calls a variable what `shown` says. */
  over(env: Env, shown: (name: string) => string): EnvReader;
  /** What a fault calls a variable. */
  shown(name: string): string;
  /** Records a fault of the caller's own finding. `message` says what to set, and must not hold a secret. */
  fault(name: string, message: string): void;
}

/** A file that a variable names. */
export interface SettingsFile {
  readonly path: string;
  readonly text: string;
}

/** One fault: the variable and what to do about it. */
export interface ConfigFault {
  readonly name: string;
  readonly message: string;
}

/** The environment cannot be used. The message lists every fault; no secret's value is in it. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "config_invalid";
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[], cause?: unknown) {
    const lines = faults.map((fault) => `  ${fault.name}: ${fault.message}`);
    super(["The environment cannot be used. Correct these and start again:", ...lines].join("\n"), { cause });
    this.faults = faults;
  }
}

export type Env = Readonly<Record<string, string | undefined>>;

/**
 * Runs `read` over the environment and returns its result, frozen all the way down.
 * Throws one ConfigError with all faults. After a fault `read` goes on with a stand-in value, so that it finds the rest.
 */
export function readEnv<Config>(env: Env, read: (reader: EnvReader) => Config): Config {
  const faults: ConfigFault[] = [];
  const fault = (name: string, message: string) => {
    // A variable that stands for several tenants is read as often.
    if (faults.some((known) => known.name === name && known.message === message)) return;
    faults.push({ name, message });
  };
  let config: Config;
  try {
    config = read(createReader(env, fault, (name) => name));
  } catch (error) {
    // What fails on a stand-in value is a consequence of the faults already found.
    if (faults.length > 0) throw new ConfigError(faults, error);
    throw error;
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return deepFreeze(config);
}

type Fault = EnvReader["fault"];

function createReader(env: Env, addFault: Fault, shown: (name: string) => string): EnvReader {
  const fault: Fault = (name, message) => addFault(shown(name), message);
  const optional: EnvReader["optional"] = (name, options = {}) => {
    const value = valueOf(env, name);
    if (value === undefined || options.pattern === undefined || options.pattern.test(value)) return value;
    const was = options.secret === true ? "" : ` It is ${quote(value)}.`;
    fault(name, `${set(shown(name), options, `a text that matches ${options.pattern.source}`)}${was}`);
    return undefined;
  };
  return {
    optional,
    string(name, options = {}) {
      if (valueOf(env, name) === undefined && options.default === undefined) {
        fault(name, `is not set. ${set(shown(name), options, "a text")}`);
      }
      return optional(name, options) ?? options.default ?? "";
    },
    integer(name, options = {}) {
      return readInteger(valueOf(env, name), shown(name), options, addFault);
    },
    choice(name, values, options = {}) {
      const value = valueOf(env, name);
      const expected = set(shown(name), options, `one of ${values.join(", ")}`);
      const known = values.find((candidate) => candidate === value);
      if (value === undefined && options.default === undefined) fault(name, `is not set. ${expected}`);
      if (value !== undefined && known === undefined) fault(name, `${expected} It is ${quote(value)}.`);
      return known ?? options.default ?? values[0];
    },
    list: (name, options = {}) => splitList(valueOf(env, name)) ?? [...(options.default ?? [])],
    secret(name, options = {}) {
      const direct = valueOf(env, name);
      const path = valueOf(env, `${name}_FILE`);
      if (direct === undefined || path === undefined) {
        return direct ?? readFile(path, shown(`${name}_FILE`), options, addFault)?.text;
      }
      fault(name, `is set, and ${shown(`${name}_FILE`)} too. Unset one of them.`);
      return undefined;
    },
    file: (name, options = {}) => readFile(valueOf(env, name), shown(name), options, addFault),
    over: (other, shownThere) => createReader(other, addFault, shownThere),
    shown,
    fault,
  };
}

function readInteger(text: string | undefined, name: string, options: IntegerOptions, fault: Fault): number {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = options;
  const standIn = options.default ?? options.min ?? 0;
  const expected = set(name, options, `a whole number${range(options)}`);
  if (text === undefined) {
    if (options.default === undefined) fault(name, `is not set. ${expected}`);
    return standIn;
  }
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  fault(name, `${expected} It is ${quote(text)}.`);
  return standIn;
}

function readFile(
  path: string | undefined,
  name: string,
  options: VariableOptions,
  fault: Fault,
): SettingsFile | undefined {
  if (path === undefined) return undefined;
  try {
    const text = readFileSync(path, "utf8").trim();
    if (text !== "") return { path, text };
    fault(name, `${quote(path)} is empty. ${set(`its content`, options, "the secret")}`);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    fault(name, `${quote(path)} cannot be read (${code}). Name a file that this process may read.`);
  }
  return undefined;
}

function valueOf(env: Env, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === "" ? undefined : value;
}

function splitList(text: string | undefined): string[] | undefined {
  return text
    ?.split(",")
    .map((element) => element.trim())
    .filter((element) => element !== "");
}

function set(what: string, options: VariableOptions, fallback: string): string {
  return `Set ${what} to ${options.describe ?? fallback}.`;
}

function range({ min, max }: IntegerOptions): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? "" : ` of at most ${max}`;
}

// A wrong value is often a secret in the wrong variable: it is cut short.
function quote(value: string): string {
  return value.length > 40 ? `"${value.slice(0, 8)}…" (${value.length} characters)` : JSON.stringify(value);
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  if (!isPlain) return value;
  Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
