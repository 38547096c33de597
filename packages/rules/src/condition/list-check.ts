import type { Field } from "./catalogue.ts";
import type { Expression } from "./expression.ts";
import type { ListType } from "./list.ts";
import type { ConditionScope } from "./read-expression.ts";

/** What entries of a list are called. */
const NOUNS: Record<ListType, string> = {
  string: "a text",
  cidr: "an address",
  asn: "the number of a network",
  country: "the code of a country",
  email_domain: "an address of e-mail",
};

/** Signals and context fields that hold what a list of that type does. */
const HOLDERS: Record<Exclude<ListType, "string">, readonly string[]> = {
  cidr: ["ip_address", "ip_info.v4.address", "ip_info.v6.address", "context.ip"],
  asn: ["ip_info.v4.asn", "ip_info.v6.asn"],
  country: ["ip_info.v4.geolocation.country_code", "ip_info.v6.geolocation.country_code", "vpn_origin_country"],
  // Some companies know their users by address.
  email_domain: ["linked_id", "context.linked_id", "context.user_id"],
};

/** Whether a value can be of the type of the list it is looked up in. Records a fault when it cannot. */
export function checkListed({ item, list }: Extract<Expression, { kind: "listed" }>, scope: ConditionScope): boolean {
  const type = scope.catalogue.lists.get(list);
  if (type === undefined || canHold(item, type)) return true;
  const isNamed = item.kind === "field" || item.kind === "lower";
  const what = isNamed ? scope.text.slice(item.at, item.end) : "this";
  const holders = type === "string" ? [] : HOLDERS[type].slice(0, 2);
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
  return type === "string" || field.path.startsWith("facts.") || HOLDERS[type].includes(field.path);
}
