import { comparedSide, isJoint } from "./assume.ts";
import type { Platform } from "./catalogue.ts";
import { clauseText } from "./clause-text.ts";
import type { Domain } from "./domain.ts";
import type { Expression } from "./expression.ts";
import type { Contradiction, Ground } from "./facts.ts";
import { nameOf, placeOf, PLATFORMS } from "./platforms.ts";

/** Why a clause can never be of a value where it stands. */
export function describeNever(clause: Expression, value: boolean, why: Contradiction, text: string): string {
  const { about, ground, against, limits } = why;
  const written = clauseText(clause, text);
  if (about === "literal") return `This can never be ${value}. To load a rule and not judge it, write mode: off.`;
  if (about === "platform") return describePlatforms([...against, ground], text);
  if (against.length === 0) {
    const subject = subjectOf(clause);
    if (subject === undefined) return `${written} can never be ${value}: it compares a value with itself.`;
    return `${written} can never be ${value}: ${clauseText(subject, text)} is ${describeDomain(limits)}.`;
  }
  const others = against.map((other) => groundText(other, text)).join(" and ");
  const word = about === "presence" && clause.kind !== "has" && clause.kind !== "not" ? "known" : String(value);
  return `${written} can never be ${word} here, because of ${others}.${eitherHint(clause, against, text)}`;
}

/** Why a clause is always true, when it is known. */
export function describeAlways(
  clause: Expression,
  { about, ground, against, limits }: Contradiction,
  text: string,
): string {
  if (about === "literal") return `${clauseText(ground.clause, text)} makes this always true. Drop it, or the rest.`;
  const written = clauseText(clause, text);
  if (against.length > 0) {
    const others = against.map((other) => clauseText(other.clause, text)).join(" and ");
    const isOfTwo = [ground, ...against].every(({ clause: each }) => each.kind === "compare" && each.op === "!=");
    return `${others} and ${written} cannot both be false: one is always true. ${isOfTwo ? "Did you mean &&?" : "Drop one."}`;
  }
  const subject = subjectOf(clause);
  if (subject === undefined) return `${written} is always true: it compares a value with itself.`;
  const ask = subject.kind === "field" ? ` Drop it, or ask has(${subject.field.path}).` : " Drop it.";
  return `${written} is always true: ${clauseText(subject, text)} is ${describeDomain(limits)}.${ask}`;
}

/** What is wrong with a clause in which nothing can change. */
export function describeLiterals(clause: Expression, text: string): string {
  return `${clauseText(clause, text)} is the same for every event. Name a signal in it.`;
}

function describePlatforms(grounds: readonly Ground[], text: string): string {
  const last = grounds.at(-1);
  const isAsked = (ground: Ground) => ground.field === undefined && !isJoint(ground.clause);
  // The signal comes first, then what it does not fit.
  const ordered = last !== undefined && isAsked(last) ? grounds : grounds.toReversed();
  const said = ordered.map((ground) => {
    const platforms = PLATFORMS.filter((platform: Platform) => ground.domain.only?.has(platform));
    if (isAsked(ground)) return `${groundText(ground, text)} asks for ${nameOf(platforms)}`;
    return `${ground.field?.path ?? groundText(ground, text)} is only present ${placeOf(platforms)}`;
  });
  return `${said.join(", but ")}: this can never be known.`;
}

// `bot == "bad" && bot == "good"` is mostly meant as either.
function eitherHint(clause: Expression, against: readonly Ground[], text: string): string {
  if (!against.every(({ holds }) => holds)) return "";
  const clauses = [...against.map((ground) => ground.clause), clause];
  const compared = clauses.map((each) =>
    each.kind === "compare" && each.op === "==" ? comparedSide(each) : undefined,
  );
  const sides = new Set(compared.map((each) => each && clauseText(each.side, text)));
  const [side] = sides;
  if (sides.size > 1 || side === undefined) return "";
  return ` Write ${side} in [${compared.map((each) => JSON.stringify(each?.literal)).join(", ")}] for either.`;
}

function subjectOf(clause: Expression): Expression | undefined {
  if (clause.kind === "not") return subjectOf(clause.operand);
  if (clause.kind === "compare") return comparedSide(clause)?.side;
  return clause.kind === "in" ? clause.item : clause;
}

function groundText({ clause, holds }: Ground, text: string): string {
  const written = clauseText(clause, text);
  if (holds) return written;
  return clause.kind === "field" || clause.kind === "has" ? `!${written}` : `!(${written})`;
}

function describeDomain({ only, least, most }: Domain): string {
  if (only !== undefined) return `always ${[...only].map((value) => JSON.stringify(value)).join(" or ")}`;
  if (most === Number.POSITIVE_INFINITY) return `${least} or more`;
  return least === Number.NEGATIVE_INFINITY ? `at most ${most}` : `from ${least} to ${most}`;
}
