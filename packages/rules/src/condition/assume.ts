import type { Field } from "./catalogue.ts";
import { ANY, comparedWith, type Domain, join, noneOf, oneOf } from "./domain.ts";
import { canonicalExpression, type Comparison, type Expression, partsOf } from "./expression.ts";
import {
  BOOLEAN,
  constrain,
  constrainPresence,
  type Contradiction,
  type Facts,
  isContradiction,
  only,
  PLATFORM,
  type Told,
} from "./facts.ts";
import { PLATFORM_PATH, platformsNamed } from "./platforms.ts";

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
      return constrainPresence(facts, expression.field, wanted, told);
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
      return assumeValue(expression, only(wanted), facts, told);
  }
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
  const limits = isSame ? only(isTrueOfSame !== isNegated) : BOOLEAN;
  return constrain(
    assumePresent(expression, facts, told),
    { about: "value", key, limits },
    { ...told, domain: only(wanted !== isNegated) },
  );
}

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
  return constrain(known, PLATFORM, { ...told, domain: platforms });
}

function assumePresent(expression: Expression, facts: Facts, told: Told): Facts | Contradiction {
  let known: Facts | Contradiction = facts;
  for (const field of fieldsNeeded(expression)) {
    if (isContradiction(known)) return known;
    known = constrainPresence(known, field, true, told);
  }
  return known;
}

/** What a side is, so that two of the same are known together. */
function keyOf(side: Expression): string {
  return side.kind === "field" ? side.field.path : JSON.stringify(canonicalExpression(side));
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
