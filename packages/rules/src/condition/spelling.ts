import { parseAddress } from "@assay/protocol";
import type { ListType } from "./list-type.ts";
import { faultOfValue } from "./list-value.ts";

/** How a text is spelt that is always of one kind. */
type Spelling = Extract<ListType, "cidr" | "asn" | "country">;

/** The signals and context fields whose texts are spelt in one way. */
const SPELLINGS: ReadonlyMap<string, Spelling> = new Map([
  ["ip_address", "cidr"],
  ["ip_info.v4.address", "cidr"],
  ["ip_info.v6.address", "cidr"],
  ["context.ip", "cidr"],
  ["ip_info.v4.asn", "asn"],
  ["ip_info.v6.asn", "asn"],
  ["ip_info.v4.geolocation.country_code", "country"],
  ["ip_info.v6.geolocation.country_code", "country"],
  ["vpn_origin_country", "country"],
]);

/** The type of the lists that hold what a field does, where only one type does. */
export function spellingOf(path: string): Spelling | undefined {
  return SPELLINGS.get(path);
}

/** The fields that hold what a list of that type does. */
export function fieldsSpelt(type: ListType): string[] {
  return [...SPELLINGS].filter(([, spelling]) => spelling === type).map(([path]) => path);
}

/** Why a field is never a text; undefined when it may be. */
export function faultOfSpelling(path: string, text: string): string | undefined {
  const spelling = SPELLINGS.get(path);
  if (spelling === undefined) return undefined;
  const never = `${path} is never ${JSON.stringify(text)}`;
  switch (spelling) {
    case "cidr":
      return faultOfAddress(path, text);
    case "asn": {
      if (/^[1-9]\d{0,9}$/.test(text)) return undefined;
      const digits = /^as0*([1-9]\d*)$/i.exec(text)?.[1];
      const fix = digits === undefined ? `, as in "7922".` : `. Did you mean "${digits}"?`;
      return `${never}: it is the number of a network as a text${fix}`;
    }
    case "country": {
      if (path === "vpn_origin_country" && text === "unknown") return undefined;
      const fault = faultOfValue("country", text);
      if (fault !== undefined) return `${never}. ${fault}`;
      return text === text.toUpperCase() ? undefined : `${never}: write it in capitals, "${text.toUpperCase()}".`;
    }
  }
}

function faultOfAddress(path: string, text: string): string | undefined {
  const address = parseAddress(text);
  if (address === undefined) {
    return `${path} is a single address, so it is never ${JSON.stringify(text)}. For ranges, ask a list: ${path} in lists.<name>.`;
  }
  if (path !== "context.ip") return undefined;
  if (address.isPrivate) return "A private address is never judged. Name a public one.";
  return address.text === text
    ? undefined
    : `context.ip is compared as it is kept. Write ${JSON.stringify(address.text)}.`;
}
