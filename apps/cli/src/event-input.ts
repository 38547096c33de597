import { toEvent } from "@assay/fingerprint";
import { CHECK_NAMES, type Checks, closestName, type Context, ProblemError, readContext } from "@assay/protocol";
import type { Input } from "@assay/rules";
import { parseJson, readText } from "./read-text.ts";
import { readTime } from "./past-time.ts";
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

/** Greatest value of a counter. */
const MAX_COUNT = 1000;
const CHECKS = [...CHECK_NAMES, "event_age_seconds", "use_count"] as const;

/** What is wrong with what is no event. */
export const REFUSALS: Record<Extract<ReturnType<typeof toEvent>, { ok: false }>["reason"], string> = {
  not_an_object: "it holds no JSON object",
  unknown_shape:
    "it has neither the keys of v4 (event_id and timestamp) nor those of v3 (products, or requestId in a webhook)",
  invalid_event_id: "its event id is missing, or is none",
  invalid_timestamp: "its timestamp is missing, or is no time in unix ms",
};

/** Makes an input of an event's file, v4, v3 or a webhook's body, and what the command line says about it. */
export async function readEventInput(path: string, options: EventOptions): Promise<Input> {
  const read = toEvent(parseJson(await readText(path), path));
  if (!read.ok) {
    const kinds = "an event of Fingerprint's Server API v4 or v3, or of a webhook";
    throw new CommandError(EXIT.usage, `${path} is not ${kinds}: ${REFUSALS[read.reason]}.`);
  }
  const { event } = read;
  return {
    event,
    context: await contextOf(options),
    checks: checksOf(options.check ?? []),
    counters: Object.fromEntries((options.counter ?? []).map((pair) => [nameIn(pair), countIn(pair)])),
    receivedAt: options.receivedAt === undefined ? event.timestamp : readTime("--received-at", options.receivedAt),
    kind: "sealed",
  };
}

async function contextOf({ context: path, flow }: EventOptions): Promise<Context> {
  try {
    const { context } = readContext(path === undefined ? {} : parseJson(await readText(path), path));
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

function nameIn(pair: string): string {
  return pair.split("=", 1)[0] ?? pair;
}

function countIn(pair: string): number {
  const count = numberIn("--counter", pair);
  if (Number.isInteger(count) && count >= 0 && count <= MAX_COUNT) return count;
  throw new CommandError(EXIT.usage, `--counter ${pair}: a counter is a whole number from 0 to ${MAX_COUNT}.`);
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
