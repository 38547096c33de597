import type { Field } from "./catalogue.ts";
import { ANY, type Domain, isEmpty, meet, oneOf } from "./domain.ts";
import type { Expression } from "./expression.ts";
import { PLATFORMS, platformsOf } from "./platforms.ts";

/** What is known of an input once some clauses are taken to hold, by what it is known about. */
export type Facts = ReadonlyMap<string, Fact>;

interface Fact {
  readonly domain: Domain;
  /** What it is known from; nothing when it follows from the names alone. */
  readonly from: readonly Ground[];
}

/** A clause that is taken to hold, or not to. */
export interface Told {
  readonly clause: Expression;
  readonly holds: boolean;
}

/** What follows from a clause. */
export interface Ground extends Told {
  readonly domain: Domain;
  /** The field that must be present for it, where that is the point. */
  readonly field?: Field;
}

/** Why a clause cannot be what it is taken to be. */
export interface Contradiction {
  readonly about: "value" | "presence" | "platform" | "literal";
  readonly ground: Ground;
  /** What was known before and excludes it. */
  readonly against: readonly Ground[];
  /** What the names alone allow. */
  readonly limits: Domain;
}

/** What a fact is about: its key, and what the names alone allow it to be. */
interface Subject {
  readonly about: Contradiction["about"];
  readonly key: string;
  readonly limits: Domain;
}

export const NOTHING: Facts = new Map();
/** What a clause may be. */
export const BOOLEAN: Domain = oneOf([true, false]);
export const PLATFORM: Subject = { about: "platform", key: "the platform", limits: ANY };
const TRUE = oneOf([true]);
const FALSE = oneOf([false]);

/** Whether what was assumed cannot be. */
export function isContradiction(result: Facts | Contradiction): result is Contradiction {
  return "about" in result;
}

/** The domain of one boolean value. */
export function only(value: boolean): Domain {
  return value ? TRUE : FALSE;
}

/** The facts, and what follows from a ground beside them. */
export function constrain(
  facts: Facts | Contradiction,
  { about, key, limits }: Subject,
  ground: Ground,
): Facts | Contradiction {
  if (isContradiction(facts)) return facts;
  const fact = facts.get(key) ?? { domain: limits, from: [] };
  const domain = meet(fact.domain, ground.domain);
  if (domain === fact.domain) return facts;
  if (!isEmpty(domain)) return new Map(facts).set(key, { domain, from: [...fact.from, ground] });
  const isAlone = isEmpty(meet(limits, ground.domain));
  const alone = fact.from.filter((other) => isEmpty(meet(other.domain, ground.domain)));
  const against = isAlone ? [] : alone.length > 0 ? alone.slice(0, 1) : fact.from;
  return { about, ground, against, limits };
}

/** The facts when a field is present, on a platform that has it, or absent. */
export function constrainPresence(facts: Facts, field: Field, isPresent: boolean, told: Told): Facts | Contradiction {
  const ground = { ...told, field, domain: only(isPresent) };
  const known = constrain(facts, presenceOf(field.path), ground);
  const platforms = platformsOf(field);
  if (!isPresent) return withoutInner(known, field, ground);
  const placed = groupsOf(field).reduce((before, path) => constrainKnown(before, presenceOf(path), ground), known);
  if (platforms.length === PLATFORMS.length) return placed;
  return constrain(placed, PLATFORM, { ...told, field, domain: oneOf(platforms) });
}

function presenceOf(path: string): Subject {
  return { about: "presence", key: `has(${path})`, limits: BOOLEAN };
}

// A signal that is present lies in groups that are: of interest only where a group is asked for.
function groupsOf({ root, keys }: Field): string[] {
  return root === "event" ? keys.slice(0, -1).map((_, index) => keys.slice(0, index + 1).join(".")) : [];
}

function constrainKnown(facts: Facts | Contradiction, subject: Subject, ground: Ground): Facts | Contradiction {
  return isContradiction(facts) || !facts.has(subject.key) ? facts : constrain(facts, subject, ground);
}

// A group that is absent holds no signal that is present.
function withoutInner(facts: Facts | Contradiction, { path }: Field, ground: Ground): Facts | Contradiction {
  if (isContradiction(facts)) return facts;
  const inner = [...facts].find(
    ([key, { domain }]) => key.startsWith(`has(${path}.`) && domain.only?.has(false) === false,
  );
  return inner === undefined
    ? facts
    : { about: "presence", ground, against: inner[1].from.slice(0, 1), limits: BOOLEAN };
}
