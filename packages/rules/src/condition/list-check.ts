import type { Field } from "./catalogue.ts";
import type { Expression } from "./expression.ts";
import type { ListType } from "./list-type.ts";
import type { ConditionScope } from "./condition-scope.ts";
import { fieldsSpelt, spellingOf } from "./spelling.ts";

/** What entries of a list are called. */
const NOUNS: Record<ListType, string> = {
  string: "a text",
  cidr: "an address",
  asn: "the number of a network",
  country: "the code of a country",
  email_domain: "an address of e-mail",
};

/** Some companies know their users by address. */
const EMAIL_HOLDERS = ["linked_id", "context.linked_id", "context.user_id"];

/** Whether a value can be of the type of the list it is looked up in. Records a fault when it cannot. */
export function checkListed({ item, list }: Extract<Expression, { kind: "listed" }>, scope: ConditionScope): boolean {
  const type = scope.catalogue.lists.get(list);
  if (type === undefined || canHold(item, type)) return true;
  const isNamed = item.kind === "field" || item.kind === "lower";
  const what = isNamed ? scope.text.slice(item.at, item.end) : "this";
  const spelling = item.kind === "field" && type === "string" ? spellingOf(item.field.path) : undefined;
  if (spelling !== undefined) {
    const why = `lists.${list} holds string, which is compared letter by letter, and ${what} is ${NOUNS[spelling]}`;
    scope.fault(item.at, `${why}. Declare the list with type: ${spelling}.`);
    return false;
  }
  const holders = holdersOf(type).slice(0, 2);
  const fix = holders.length === 0 ? "" : ` Look up ${holders.join(", ")} or a fact.`;
  scope.fault(item.at, `lists.${list} holds ${type}, and ${what} is never ${NOUNS[type]}.${fix}`);
  return false;
}

function canHold(item: Expression, type: ListType): boolean {
  if (item.kind === "field") return fieldCanHold(item.field, type);
  if (item.kind === "lower") return canHold(item.operand, type);
  return item.kind === "choose" && canHold(item.yes, type) && canHold(item.no, type);
}

function fieldCanHold(field: Field, type: ListType): boolean {
  if (field.type === "number") return type === "asn" && field.root === "facts";
  if (field.type !== "string") return false;
  if (type === "string") return spellingOf(field.path) === undefined;
  return field.path.startsWith("facts.") || holdersOf(type).includes(field.path);
}

function holdersOf(type: ListType): string[] {
  return type === "email_domain" ? EMAIL_HOLDERS : fieldsSpelt(type);
}
