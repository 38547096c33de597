import { parseAddress, stripPort } from "./address.ts";
import { closestName } from "./closest-name.ts";
import { parseOrigin } from "./origin.ts";
import { ProblemError } from "./problem.ts";

/** A company's own fact about a submission. */
export type Fact = string | number | boolean | readonly string[];

/** What the *caller* observed when its client presented the event. Ingress never fills it from its own connection. */
export interface Context {
  /** The step of the customer's product: `login`, `checkout`. */
  flow?: string;
  user_id?: string;
  /** Order or session id; comes back in the verdict. */
  reference?: string;
  /** One address, without a port. */
  ip?: string;
  origin?: string;
  user_agent?: string;
  linked_id?: string;
  visitor_id?: string;
  /** Unix ms at which the caller's backend got the event; at most 24 h before `received_at`. */
  observed_at?: number;
  facts?: Record<string, Fact>;
}

/** The context, and which of its fields were left out because they cannot be judged: a private address, no origin. */
export interface ReadContext {
  readonly context: Context;
  readonly invalidFields: readonly string[];
}

const MAX_FACTS = 32;
const MAX_FACTS_BYTES = 4 * 1024;
/** Longest name of an unknown field that an answer repeats. */
const MAX_SHOWN_NAME = 64;
const FLOW = /^[a-z0-9_-]{1,64}$/;

/** Longest text of each field, in characters. */
const TEXT_LIMITS = {
  user_id: 256,
  reference: 256,
  origin: 512,
  user_agent: 2048,
  linked_id: 256,
  visitor_id: 64,
} as const;

/** Every field of a context. */
export const CONTEXT_FIELDS = ["flow", "ip", "observed_at", "facts", ...Object.keys(TEXT_LIMITS)];

/**
 * Reads the `context` of a body. Nulls mean absent. Throws a ProblemError that names the field and the fix.
 * A port is stripped from `ip`. A private address, and an origin that is none (a browser may send `null`), are left out
 * and named in `invalidFields`: no visitor's header may make a submission invalid.
 */
export function readContext(value: unknown): ReadContext {
  if (!isRecord(value)) throw invalid("context", "context must be an object.");
  const context: Context = {};
  const invalidFields: string[] = [];
  for (const [name, given] of Object.entries(value)) {
    if (!CONTEXT_FIELDS.includes(name)) throw unknownField("context", name, CONTEXT_FIELDS);
    if (given === null || given === undefined) continue;
    switch (name) {
      case "flow":
        context.flow = readFlow(given);
        break;
      case "ip": {
        const ip = readIp(given);
        if (ip === undefined) invalidFields.push("ip");
        else context.ip = ip;
        break;
      }
      case "origin":
        readText(context, name, given);
        if (parseOrigin(context.origin ?? "") === undefined) {
          delete context.origin;
          invalidFields.push("origin");
        }
        break;
      case "observed_at":
        context.observed_at = readTime(given);
        break;
      case "facts":
        context.facts = readFacts(given);
        break;
      default:
        readText(context, name, given);
    }
  }
  return { context, invalidFields };
}

function readFlow(given: unknown): string {
  if (typeof given === "string" && FLOW.test(given)) return given;
  throw invalid("context.flow", "context.flow must be 1 to 64 characters of a-z, 0-9, _ and -, for example login.");
}

function readIp(given: unknown): string | undefined {
  const hint = "context.ip must be one IPv4 or IPv6 address, the one your proxy saw the visitor come from.";
  if (typeof given !== "string") throw invalid("context.ip", hint);
  if (given.includes(",")) {
    throw invalid(
      "context.ip",
      `${hint} This is a list, as in X-Forwarded-For: send the address your trusted proxy added.`,
    );
  }
  const address = parseAddress(stripPort(given.trim()));
  if (address === undefined) throw invalid("context.ip", hint);
  return address.isPrivate ? undefined : address.text;
}

function readTime(given: unknown): number {
  if (typeof given === "number" && Number.isSafeInteger(given) && given > 0) return given;
  throw invalid("context.observed_at", "context.observed_at must be a time in unix milliseconds, as a whole number.");
}

function readText(context: Context, name: string, given: unknown): void {
  for (const [field, limit] of Object.entries(TEXT_LIMITS)) {
    if (field !== name) continue;
    if (typeof given !== "string" || given === "" || given.length > limit) {
      throw invalid(
        `context.${name}`,
        `context.${name} must be a text of 1 to ${limit} characters; leave it out when it is not known.`,
      );
    }
    Object.assign(context, { [name]: given });
  }
}

function readFacts(given: unknown): Record<string, Fact> {
  if (!isRecord(given)) throw invalid("context.facts", "context.facts must be a flat object of names and values.");
  const entries = Object.entries(given).filter(([, value]) => value !== null && value !== undefined);
  if (entries.length > MAX_FACTS)
    throw invalid("context.facts", `context.facts may hold at most ${MAX_FACTS} facts; there are ${entries.length}.`);
  const facts: Record<string, Fact> = {};
  for (const [name, value] of entries) {
    if (!/^[a-z][a-z0-9_]{0,63}$/.test(name)) {
      throw invalid(
        "context.facts",
        "Names of context.facts must be snake_case: a-z, 0-9 and _, at most 64 characters.",
      );
    }
    if (!isFact(value))
      throw invalid(
        `context.facts.${name}`,
        `context.facts.${name} must be a text, a number, true or false, or a list of texts.`,
      );
    facts[name] = value;
  }
  const bytes = Buffer.byteLength(JSON.stringify(facts));
  if (bytes > MAX_FACTS_BYTES)
    throw invalid(
      "context.facts",
      `context.facts may take at most ${MAX_FACTS_BYTES} bytes as JSON; these take ${bytes}.`,
    );
  return facts;
}

function isFact(value: unknown): value is Fact {
  if (Array.isArray(value)) return value.every((item) => typeof item === "string");
  return (
    typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))
  );
}

/** A 400 for a field that is not known here, with the right spelling: `meant`, or the nearest that is known. */
export function unknownField(
  parent: string,
  name: string,
  known: readonly string[],
  meant = closestName(name, known),
): ProblemError {
  const within = (field: string) => (parent === "" ? field : `${parent}.${field}`);
  const path = within(name.length > MAX_SHOWN_NAME ? `${name.slice(0, MAX_SHOWN_NAME)}…` : name);
  const fix = meant === undefined ? `Known are: ${known.join(", ")}.` : `Did you mean ${within(meant)}?`;
  return new ProblemError("unknown_field", `${path} is not known here. ${fix}`, { field: path });
}

function invalid(field: string, detail: string): ProblemError {
  return new ProblemError("invalid_field", detail, { field });
}

/** Whether a value is a plain JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
