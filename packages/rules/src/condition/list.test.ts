import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ListType } from "./list-type.ts";
import { createList, readListValue } from "./list.ts";

const NOW = Date.UTC(2026, 0, 1);

function find(type: ListType, entries: readonly string[], value: string | number | boolean) {
  return createList(
    type,
    entries.map((text) => ({ text })),
  ).find(value, NOW);
}

describe("readListValue", () => {
  test.each<[ListType, string]>([
    ["string", "Ibk1527CUFmcnjLwIs4A"],
    ["cidr", "10.0.0.0/8"],
    ["cidr", "192.0.2.1"],
    ["cidr", "0.0.0.0/0"],
    ["cidr", "2001:db8::/32"],
    ["cidr", "::1"],
    ["cidr", "::ffff:10.0.0.0/104"],
    ["cidr", "64:ff9b::10.0.0.0/104"],
    ["asn", "AS7922"],
    ["asn", "as7922"],
    ["asn", "7922"],
    ["country", "DE"],
    ["country", "de"],
    ["email_domain", "example.com"],
    ["email_domain", "BÜCHER.example"],
    ["email_domain", "xyz"],
  ])("takes a %s %s", (type, text) => {
    expect(readListValue(type, text)).toBeUndefined();
  });

  test.each<[ListType, string, string]>([
    ["cidr", "10.0.0.1/8", "10.0.0.1/8 has bits set after the first 8. Did you mean 10.0.0.0/8?"],
    ["cidr", "2001:db8::1/32", "Did you mean 2001:db8:0:0:0:0:0:0/32?"],
    ["cidr", "10.0.0.0/33", "A range of 10.0.0.0 shares 0 to 32 bits, not 33."],
    ["cidr", "::ffff:10.0.0.0/8", "A range of ::ffff:10.0.0.0 shares 96 to 128 bits, not 8."],
    ["cidr", "::ffff:0:0/96", "would be every IPv4 address"],
    ["cidr", "64:ff9b::/96", "would be every IPv4 address"],
    ["cidr", "::ffff:10.0.0.1/104", "Did you mean 10.0.0.0/104?"],
    ["cidr", "example.com", "example.com is not an address or a range of them."],
    ["cidr", "fe80::1%eth0", "is not an address"],
    ["asn", "Comcast", "Comcast is not the number of a network. Write it as AS7922 or 7922."],
    ["asn", "4294967296", "is not the number of a network"],
    ["country", "Germany", "Germany is not a country. Write its two letters by ISO 3166, as in DE."],
    ["country", "UK", "UK is not a country by ISO 3166. Did you mean GB?"],
    ["country", "QX", "QX is not a country by ISO 3166."],
    ["email_domain", "@example.com", "Write example.com: it stands for every address below it and its subdomains."],
    ["email_domain", "*.example.com", "Write example.com:"],
    ["email_domain", "ann@example.com", "Write example.com:"],
    ["email_domain", "exa mple", "exa mple is not a domain."],
  ])("refuses the %s %s", (type, text, fault) => {
    expect(readListValue(type, text)).toContain(fault);
  });
});

describe("createList", () => {
  test.each<[ListType, string, string | number, string | false | undefined]>([
    ["string", "Abc", "Abc", "Abc"],
    ["string", "Abc", "abc", false],
    ["string", "1", 1, undefined],
    ["asn", "AS7922", "7922", "AS7922"],
    ["asn", "7922", "as7922", "7922"],
    ["asn", "AS7922", 7922, "AS7922"],
    ["asn", "AS7922", 7923, false],
    ["asn", "AS7922", "Comcast", undefined],
    ["asn", "AS7922", 7922.5, undefined],
    ["country", "de", "DE", "de"],
    ["country", "DE", "FR", false],
    ["country", "DE", "unknown", undefined],
    ["email_domain", "example.com", "Ann@Example.COM", "example.com"],
    ["email_domain", "example.com", "ann@mail.example.com", "example.com"],
    ["email_domain", "example.com", "mail.example.com.", "example.com"],
    ["email_domain", "example.com", "ann@notexample.com", false],
    ["email_domain", "example.com", "ann@example.com.evil.test", false],
    ["email_domain", "bücher.example", "a@xn--bcher-kva.example", "bücher.example"],
    ["email_domain", "xn--bcher-kva.example", "a@Bücher.example", "xn--bcher-kva.example"],
    ["email_domain", "BÜCHER.example", "a@mail.bücher.example", "BÜCHER.example"],
    ["email_domain", "xyz", "a@b.xyz", "xyz"],
    ["email_domain", "example.com", "no domain", undefined],
    ["cidr", "10.0.0.0/8", "10.255.0.1", "10.0.0.0/8"],
    ["cidr", "10.0.0.0/8", "11.0.0.1", false],
    ["cidr", "10.0.0.0/8", "::ffff:10.1.2.3", "10.0.0.0/8"],
    ["cidr", "::ffff:10.0.0.0/104", "10.1.2.3", "::ffff:10.0.0.0/104"],
    ["cidr", "192.0.2.1", "192.0.2.1", "192.0.2.1"],
    ["cidr", "0.0.0.0/0", "255.255.255.255", "0.0.0.0/0"],
    ["cidr", "0.0.0.0/0", "::1", false],
    ["cidr", "2001:db8::/33", "2001:db8:7fff::1", "2001:db8::/33"],
    ["cidr", "2001:db8::/33", "2001:db8:8000::1", false],
    ["cidr", "::/0", "2001:db8::1", "::/0"],
    ["cidr", "10.0.0.0/8", "somewhere", undefined],
  ])("of %s %s finds %s: %s", (type, entry, value, expected) => {
    expect(find(type, [entry], value)).toBe(expected);
  });

  test("finds the narrowest block", () => {
    expect(find("cidr", ["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0"], "10.1.2.3")).toBe("10.1.0.0/16");
  });

  test.each<[ListType, string, string, string]>([
    ["string", "a", "a", "a"],
    ["cidr", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3"],
    ["email_domain", "example.com", "mail.example.com", "a@mail.example.com"],
  ])("of %s lets an entry end, and then falls back to a wider one", (type, wide, narrow, value) => {
    const list = createList(type, [
      { text: narrow, untilMs: NOW },
      { text: wide, untilMs: NOW + 10 },
    ]);
    expect(list.find(value, NOW)).toBe(narrow);
    expect(list.find(value, NOW + 1)).toBe(wide);
    expect(list.find(value, NOW + 10)).toBe(wide);
    expect(list.find(value, NOW + 11)).toBe(false);
  });

  test("counts the one of equal entries that lasts longest", () => {
    const list = createList("asn", [{ text: "AS1" }, { text: "1", untilMs: NOW }]);
    expect(list.find(1, NOW + 1)).toBe("AS1");
  });

  test("finds in blocks what reading bit by bit finds", () => {
    const word = fc.nat(0xffff).map((group) => group.toString(16));
    const address = fc.array(word, { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(
        address,
        fc.integer({ min: 0, max: 128 }),
        fc.integer({ min: 0, max: 127 }),
        (groups, length, flip) => {
          const bits = groups.map((group) => Number.parseInt(group, 16).toString(2).padStart(16, "0")).join("");
          const base = textOf(bits.slice(0, length).padEnd(128, "0"));
          const other = textOf(bits.slice(0, flip) + (bits[flip] === "0" ? "1" : "0") + bits.slice(flip + 1));
          // A v4 address in v6 has its own blocks.
          fc.pre(!base.startsWith("0:0:0:0:0:") && !other.startsWith("0:0:0:0:0:"));
          expect(find("cidr", [`${base}/${length}`], other) !== false).toBe(flip >= length);
        },
      ),
    );
  });
});

function textOf(bits: string): string {
  return (bits.match(/.{16}/g) ?? []).map((group) => Number.parseInt(group, 2).toString(16)).join(":");
}
