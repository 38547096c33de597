import { CHECK_NAMES, type Checks, type Context, ProblemError, readContext } from "@assay/protocol";
import type { Input } from "../condition/input.ts";
import type { FaultList } from "./fault.ts";
import { type GivenValue, objectOf } from "./tests-given.ts";

/** When the event of a test was made and received, unless it gives a `timestamp`: 2026-01-01T00:00:00Z. */
const TEST_TIME_MS = 1_767_225_600_000;

/**
 * The input of a test: an event that holds what is given and nothing else. It is received at its own `timestamp`.
 * Undefined, with a fault, when no caller could send the context.
 */
export function inputOf(given: readonly GivenValue[], faults: FaultList): Input | undefined {
  const of = (root: GivenValue["field"]["root"]) =>
    objectOf(
      given.filter(({ field }) => field.root === root),
      faults,
    );
  const { timestamp, ...signals } = of("event");
  const receivedAt = typeof timestamp === "number" ? timestamp : TEST_TIME_MS;
  const context = contextOf({ ...of("context"), facts: of("facts") }, given, faults);
  return (
    context && {
      event: { event_id: "test", ...signals, timestamp: receivedAt },
      checks: checksOf(of("checks")),
      context,
      receivedAt,
      kind: "sealed",
      counters: numbersOf(of("counters")),
    }
  );
}

function contextOf(value: unknown, given: readonly GivenValue[], faults: FaultList): Context | undefined {
  const refuse = (path: string | undefined, message: string) => {
    const at = given.find(({ field }) => path === field.path || path === `context.${field.path}`)?.at;
    faults.add(at ?? given.find(({ field }) => field.root === "facts")?.at ?? 0, message);
    return undefined;
  };
  try {
    const { context, invalidFields } = readContext(value);
    const [invalid] = invalidFields;
    if (invalid === undefined) return context;
    const what =
      invalid === "ip" ? "A private address is never judged. Give a public one" : "This is no origin. Give one";
    return refuse(`context.${invalid}`, `${what}, or leave it out.`);
  } catch (error) {
    if (error instanceof ProblemError) return refuse(error.field, error.message);
    throw error;
  }
}

function checksOf(said: Record<string, unknown>): Checks {
  const checks: Checks = {};
  for (const name of CHECK_NAMES) {
    const value = said[name];
    if (typeof value === "boolean") checks[name] = value;
  }
  const { event_age_seconds: age, use_count: uses } = numbersOf(said);
  if (age !== undefined) checks.event_age_seconds = age;
  if (uses !== undefined) checks.use_count = uses;
  return checks;
}

function numbersOf(said: Record<string, unknown>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(said).flatMap(([name, value]) => (typeof value === "number" ? [[name, value] as const] : [])),
  );
}
