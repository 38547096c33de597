import { domainToASCII, domainToUnicode } from "node:url";
import type { ListType } from "./list-type.ts";
import type { SlotValue } from "./slot-value.ts";

type ValueType = Exclude<ListType, "cidr">;

/** Longest entry of a list of texts. */
export const MAX_LISTED_TEXT = 1024;
/** Longest address of e-mail, by its standard. */
const MAX_EMAIL = 320;
const MAX_ASN = 2 ** 32 - 1;
const COUNTRY_NAMES = new Intl.DisplayNames(["en"], { type: "region", fallback: "none" });
const LABEL = String.raw`[\p{L}\p{M}\p{N}_](?:[\p{L}\p{M}\p{N}_-]{0,61}[\p{L}\p{M}\p{N}_])?`;
const DOMAIN = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`, "u");

/** A value in the one spelling by which it is compared; undefined when it is none of that type. */
export function canonicalValue(type: ValueType, value: SlotValue): string | undefined {
  if (type === "asn") return asnOf(value);
  if (typeof value !== "string") return undefined;
  switch (type) {
    case "string":
      return value;
    case "country":
      return value.length === 2 && /^[A-Za-z]{2}$/.test(value) ? value.toUpperCase() : undefined;
    case "email_domain":
      return domainOf(value);
  }
}

/** All spellings by which an entry is found: a domain is in Unicode or, as on the wire, in ASCII. */
export function spellingsOf(type: ValueType, text: string): string[] {
  const value = canonicalValue(type, text);
  if (value === undefined) return [];
  return type === "email_domain" ? [value, domainToASCII(value), domainToUnicode(value)] : [value];
}

/** What is wrong with an entry; undefined when nothing is. */
export function faultOfValue(type: ValueType, text: string): string | undefined {
  const value = canonicalValue(type, text);
  switch (type) {
    case "string":
      return text.length > MAX_LISTED_TEXT
        ? `A text of a list may take at most ${MAX_LISTED_TEXT} characters.`
        : undefined;
    case "asn":
      return value === undefined ? `${text} is not the number of a network. Write it as AS7922 or 7922.` : undefined;
    case "country":
      return faultOfCountry(text, value);
    case "email_domain":
      return faultOfDomain(text, value);
  }
}

function asnOf(value: SlotValue): string | undefined {
  if (typeof value !== "number" && typeof value !== "string") return undefined;
  const digits = /^(?:as)?(\d{1,10})$/i.exec(String(value))?.[1];
  return digits === undefined || Number(digits) > MAX_ASN ? undefined : String(Number(digits));
}

function domainOf(value: string): string | undefined {
  if (value.length > MAX_EMAIL) return undefined;
  const domain = value
    .slice(value.lastIndexOf("@") + 1)
    .toLowerCase()
    .replace(/\.$/, "");
  return DOMAIN.test(domain) ? domain : undefined;
}

function faultOfCountry(text: string, code: string | undefined): string | undefined {
  if (code === undefined) return `${text} is not a country. Write its two letters by ISO 3166, as in DE.`;
  const [locale = ""] = Intl.getCanonicalLocales(`und-${code}`);
  const meant = locale.slice("und-".length);
  if (meant !== code) return `${code} is not a country by ISO 3166. Did you mean ${meant}?`;
  return COUNTRY_NAMES.of(code) === undefined ? `${code} is not a country by ISO 3166.` : undefined;
}

function faultOfDomain(text: string, domain: string | undefined): string | undefined {
  const bare = text.replace(/^\*?\.|^.*@/, "");
  if (domain !== undefined && bare === text) return undefined;
  if (domainOf(bare) === undefined) return `${text} is not a domain. Write it as in example.com.`;
  return `Write ${bare}: it stands for every address below it and its subdomains.`;
}
