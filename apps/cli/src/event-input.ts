import { readFile } from "node:fs/promises";
import { toEvent } from "@assay/fingerprint";
import { CHECK_NAMES, type Checks, closestName, type Context, ProblemError, readContext } from "@assay/protocol";
import type { Input } from "@assay/rules";
import { CommandError, EXIT } from "./report.ts";

export interface EventOptions {
  readonly flow?: string;
  /** A file that holds the context of a submission. */
  readonly context?: string;
  /** `name=value` pairs. */
  readonly counter?: readonly string[];
  readonly check?: readonly string[];
  /** Unix ms or an ISO time; the event's own time when absent. */
  readonly receivedAt?: string;
}

const CHECKS = [...CHECK_NAMES, "event_age_seconds", "use_count"] as const;

/** Makes an input of an event's file, v4, v3 or a webhook's body, and what the command line says about it. */
export async function readEventInput(path: string, options: EventOptions): Promise<Input> {
  const read = toEvent(await readJson(path));
  if (!read.ok) {
    const kinds = "an event of Fingerprint's Server API v4 or v3, or of a webhook";
    throw new CommandError(EXIT.usage, `${path} is not ${kinds}: ${read.reason}.`);
  }
  const { event } = read;
  return {
    event,
    context: await contextOf(options),
    checks: checksOf(options.check ?? []),
    counters: Object.fromEntries((options.counter ?? []).map((pair) => [nameIn(pair), numberIn("--counter", pair)])),
    receivedAt: options.receivedAt === undefined ? event.timestamp : timeOf(options.receivedAt),
    kind: "sealed",
  };
}

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(EXIT.unavailable, `${path} cannot be read: ${why}.`, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(EXIT.usage, `${path} is not JSON: ${why}.`, { cause: error });
  }
}

async function contextOf({ context: path, flow }: EventOptions): Promise<Context> {
  try {
    const { context } = readContext(path === undefined ? {} : await readJson(path));
    return flow === undefined ? context : { ...context, ...readContext({ flow }).context };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    throw new CommandError(EXIT.usage, error.message, { cause: error });
  }
}

function checksOf(pairs: readonly string[]): Checks {
  const checks: Checks = {};
  for (const pair of pairs) {
    const given = nameIn(pair);
    const name = CHECKS.find((known) => known === given);
    if (name === undefined) {
      const meant = closestName(given, CHECKS);
      const hint = meant === undefined ? `Known are: ${CHECKS.join(", ")}.` : `Did you mean ${meant}?`;
      throw new CommandError(EXIT.usage, `--check ${given} is no check. ${hint}`);
    }
    if (name === "event_age_seconds" || name === "use_count") checks[name] = numberIn("--check", pair);
    else checks[name] = booleanIn(pair);
  }
  return checks;
}

function timeOf(text: string): number {
  const time = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isSafeInteger(time)) return time;
  throw new CommandError(EXIT.usage, `--received-at ${text} is neither unix milliseconds nor an ISO time.`);
}

function nameIn(pair: string): string {
  return pair.split("=", 1)[0] ?? pair;
}

function numberIn(option: string, pair: string): number {
  const text = pair.slice(nameIn(pair).length + 1).trim();
  const number = text === "" ? Number.NaN : Number(text);
  if (Number.isFinite(number)) return number;
  throw new CommandError(EXIT.usage, `${option} ${pair} must end in a number: ${option} ${nameIn(pair)}=3`);
}

function booleanIn(pair: string): boolean {
  const text = pair.slice(nameIn(pair).length + 1);
  if (text === "true" || text === "false") return text === "true";
  throw new CommandError(EXIT.usage, `--check ${pair} must end in true or false: --check ${nameIn(pair)}=true`);
}
