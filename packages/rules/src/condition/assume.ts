import type { Field } from "./catalogue.ts";
import { ANY, comparedWith, type Domain, isEmpty, join, meet, noneOf, oneOf } from "./domain.ts";
import { canonicalExpression, type Comparison, type Expression, partsOf } from "./expression.ts";
import { PLATFORM_PATH, platformsNamed, platformsOf } from "./platforms.ts";

/** What is known of an input once some clauses are taken to hold, by what it is known about. */
export type Facts = ReadonlyMap<string, Fact>;

interface Fact {
  readonly domain: Domain;
  /** What it is known from; nothing when it follows from the names alone. */
  readonly from: readonly Ground[];
}

/** A clause that is taken to hold, or not to, and what follows from it. */
export interface Ground {
  readonly clause: Expression;
  readonly holds: boolean;
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

/** The clause that an assumption is told by, and whether that holds. */
type Told = Pick<Ground, "clause" | "holds">;

export const NOTHING: Facts = new Map();

/**
 * What follows when an expression is taken to be true, or false, beside what is known already. All that follows is
 * true of every input for which both hold; not all that is true follows.
 */
export function assume(
  expression: Expression,
  wanted: boolean,
  facts: Facts,
  told: Told = { clause: expression, holds: wanted },
): Facts | Contradiction {
  switch (expression.kind) {
    case "literal":
      if (expression.value === wanted) return facts;
      return { about: "literal", ground: { ...told, domain: ANY }, against: [], limits: ANY };
    case "not": {
      const isClause = !isJoint(expression.operand);
      return assume(expression.operand, !wanted, facts, isClause ? told : undefined);
    }
    case "all":
    case "any":
      return (expression.kind === "all") === wanted
        ? assumeEach(expression.operands, wanted, facts)
        : assumeSome(expression.operands, wanted, facts, told);
    case "choose":
      return assumeChoice(expression, wanted, facts, told);
    case "has":
      return assumePresence(expression.field, wanted, facts, told);
    case "compare":
      return assumeComparison(expression, wanted, facts, told);
    case "in": {
      const values = expression.list.map(({ value }) => value);
      return assumeValue(expression.item, wanted ? oneOf(values) : noneOf(values), facts, told);
    }
    case "field":
    case "negate":
    case "arithmetic":
    case "age":
    case "lower":
    case "text":
    case "listed":
    case "includes":
    case "each":
      return assumeValue(expression, oneOf([wanted]), facts, told);
  }
}

/** Whether an assumption failed. */
export function isContradiction(result: Facts | Contradiction): result is Contradiction {
  return "about" in result;
}

/** Whether an expression is made of clauses. */
export function isJoint({ kind }: Expression): boolean {
  return kind === "all" || kind === "any" || kind === "choose";
}

/** What a comparison says of its left side beside a literal; undefined when no literal stands alone. */
export function comparedSide({ op, sides: [left, right] }: Extract<Expression, { kind: "compare" }>) {
  if (right.kind === "literal") return { side: left, op, literal: right.value };
  return left.kind === "literal" ? { side: right, op: MIRRORED[op], literal: left.value } : undefined;
}

const MIRRORED: Record<Comparison, Comparison> = { "==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=" };
const OPPOSITE: Record<Comparison, Comparison> = { "==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<" };

function assumeEach(operands: readonly Expression[], wanted: boolean, facts: Facts): Facts | Contradiction {
  let known = facts;
  for (const operand of operands) {
    const next = assume(operand, wanted, known);
    if (isContradiction(next)) return next;
    known = next;
  }
  return known;
}

// What follows from every operand that can be so follows from the whole.
function assumeSome(operands: readonly Expression[], wanted: boolean, facts: Facts, told: Told): Facts | Contradiction {
  return either(
    operands.map((operand) => assume(operand, wanted, facts)),
    facts,
    told,
  );
}

function assumeChoice(
  { condition, yes, no }: Extract<Expression, { kind: "choose" }>,
  wanted: boolean,
  facts: Facts,
  told: Told,
): Facts | Contradiction {
  // Each condition is looked at twice, so one inside of another would double the work each time.
  if (hasChoice(condition)) return facts;
  const branches = [yes, no].map((branch, index) => {
    const chosen = assume(condition, index === 0, facts);
    return isContradiction(chosen) ? chosen : assume(branch, wanted, chosen);
  });
  return either(branches, facts, told);
}

function hasChoice(expression: Expression): boolean {
  return expression.kind === "choose" || partsOf(expression).some(hasChoice);
}

function either(results: readonly (Facts | Contradiction)[], before: Facts, told: Told): Facts | Contradiction {
  const [first, ...rest] = results.filter((result): result is Facts => !isContradiction(result));
  if (first === undefined) return results.find(isContradiction) ?? before;
  if (rest.length === 0) return first;
  const joined = new Map(before);
  for (const [key, { domain }] of first) {
    const others = rest.map((facts) => facts.get(key)?.domain);
    if (!others.every((other) => other !== undefined)) continue;
    const common = others.reduce(join, domain);
    const from = before.get(key)?.from ?? [];
    if (first.get(key) !== before.get(key))
      joined.set(key, { domain: common, from: [...from, { ...told, domain: common }] });
  }
  return joined;
}

function assumeComparison(
  expression: Extract<Expression, { kind: "compare" }>,
  wanted: boolean,
  facts: Facts,
  told: Told,
): Facts | Contradiction {
  const compared = comparedSide(expression);
  if (compared !== undefined) {
    const op = wanted ? compared.op : OPPOSITE[compared.op];
    const { side, literal } = compared;
    if (typeof literal === "boolean") return assume(side, (op === "==") === literal, facts, told);
    return assumeValue(side, comparedWith(op, literal), facts, told);
  }
  const { op, sides } = expression;
  const [left, right] = [keyOf(sides[0]), keyOf(sides[1])];
  const isSame = left === right;
  const isTrueOfSame = op === "==" || op === "<=" || op === ">=";
  // `a != b` is `!(a == b)`, so that each excludes the other; so with `<` and `>=`.
  const isNegated = op === "!=" || op === "<=" || op === ">=";
  const plain = isNegated ? OPPOSITE[op] : op;
  const isTurned = plain === ">" || (plain === "==" && left > right);
  const key = JSON.stringify([plain === "==" ? "==" : "<", ...(isTurned ? [right, left] : [left, right])]);
  const limits = isSame ? oneOf([isTrueOfSame !== isNegated]) : BOOLEAN;
  return constrain(
    assumePresent(expression, facts, told),
    { about: "value", key, limits },
    { ...told, domain: oneOf([wanted !== isNegated]) },
  );
}

const BOOLEAN = oneOf([true, false]);

// The side of a comparison, or a clause as a whole, has one of these values.
function assumeValue(side: Expression, domain: Domain, facts: Facts, told: Told): Facts | Contradiction {
  const key = keyOf(side);
  const known = constrain(
    assumePresent(side, facts, told),
    { about: "value", key, limits: limitsOf(side) },
    { ...told, domain },
  );
  if (isContradiction(known) || side.kind !== "field" || side.field.path !== PLATFORM_PATH) return known;
  const platforms = oneOf(platformsNamed(known.get(key)?.domain ?? ANY));
  return constrain(known, { about: "platform", key: "platform", limits: ANY }, { ...told, domain: platforms });
}

function assumePresent(expression: Expression, facts: Facts, told: Told): Facts | Contradiction {
  let known: Facts | Contradiction = facts;
  for (const field of fieldsNeeded(expression)) {
    if (isContradiction(known)) return known;
    known = assumePresence(field, true, known, told);
  }
  return known;
}

function assumePresence(field: Field, wanted: boolean, facts: Facts, told: Told): Facts | Contradiction {
  const ground = { ...told, field, domain: oneOf([wanted]) };
  const paths = wanted ? pathsAbove(field) : [field.path];
  const known = paths.reduce<Facts | Contradiction>(
    (before, path) => constrain(before, { about: "presence", key: `has(${path})`, limits: BOOLEAN }, ground),
    facts,
  );
  if (!wanted || field.platforms === undefined) return known;
  const domain = oneOf(platformsOf(field));
  return constrain(known, { about: "platform", key: "platform", limits: ANY }, { ...ground, domain });
}

// A signal that is present lies in groups that are.
function pathsAbove({ root, path, keys }: Field): string[] {
  return root === "event" ? keys.map((_, index) => keys.slice(0, index + 1).join(".")) : [path];
}

function constrain(
  facts: Facts | Contradiction,
  { about, key, limits }: { about: Contradiction["about"]; key: string; limits: Domain },
  ground: Ground,
): Facts | Contradiction {
  if (isContradiction(facts)) return facts;
  const fact = facts.get(key) ?? { domain: limits, from: [] };
  const domain = meet(fact.domain, ground.domain);
  if (!isEmpty(domain)) return new Map(facts).set(key, { domain, from: [...fact.from, ground] });
  const isAlone = isEmpty(meet(limits, ground.domain));
  const alone = fact.from.filter((other) => isEmpty(meet(other.domain, ground.domain)));
  const against = isAlone ? [] : alone.length > 0 ? alone.slice(0, 1) : fact.from;
  return { about, ground, against, limits };
}

/** What a side is, so that two of the same are known together. */
function keyOf(side: Expression): string {
  return JSON.stringify(canonicalExpression(side));
}

function limitsOf(side: Expression): Domain {
  if (side.kind === "field") {
    const { type, closed, values, least = ANY.least, most = ANY.most } = side.field;
    if (type === "boolean") return BOOLEAN;
    return closed === true && values !== undefined ? oneOf(values) : { ...ANY, least, most };
  }
  const isText = side.kind === "lower" || side.kind === "choose";
  return isText || side.kind === "arithmetic" || side.kind === "negate" || side.kind === "age" ? ANY : BOOLEAN;
}

/** The fields without which an expression is unknown. */
function fieldsNeeded(expression: Expression): readonly Field[] {
  switch (expression.kind) {
    case "field":
      return [expression.field];
    case "includes":
    case "each":
      return [expression.field];
    case "has":
    case "literal":
    case "all":
    case "any":
      return [];
    case "choose":
      return fieldsNeeded(expression.condition);
    case "not":
    case "negate":
    case "compare":
    case "arithmetic":
    case "in":
    case "age":
    case "lower":
    case "text":
    case "listed":
      return partsOf(expression).flatMap(fieldsNeeded);
  }
}
