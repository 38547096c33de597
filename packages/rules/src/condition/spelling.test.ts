import { describe, expect, test } from "vitest";
import { briefFaultsOf, faultsOf } from "../../test/build.ts";

function faultsWith(condition: string, head = ""): string[] {
  return briefFaultsOf(`ruleset: test\n${head}rules:\n  - { id: it, when: '${condition}', score: 1 }\n`);
}

describe("a field that is spelt in one way", () => {
  test.each([
    [
      'ip_address == "192.0.2.0/24"',
      'ip_address is a single address, so it is never "192.0.2.0/24". For ranges, ask a list',
    ],
    ['ip_address in ["192.0.2.1", "192.0.2"]', "ip_address is a single address"],
    ['ip_info.v4.address != "192.0.2.*"', "ip_info.v4.address is a single address"],
    ['context.ip == "10.0.0.1"', "A private address is never judged."],
    ['context.ip == "2001:DB8::1"', 'Write "2001:db8:0:0:0:0:0:1".'],
    ['ip_info.v4.asn == "AS7922"', 'Did you mean "7922"?'],
    ['ip_info.v6.asn in ["Comcast"]', 'it is the number of a network as a text, as in "7922".'],
    ['ip_info.v4.geolocation.country_code == "de"', 'write it in capitals, "DE".'],
    ['ip_info.v4.geolocation.country_code == "Germany"', "Write its two letters by ISO 3166, as in DE."],
    ['ip_info.v6.geolocation.country_code in ["FR", "UK"]', "Did you mean GB?"],
  ])("refuses %s", (condition, fault) => {
    expect(faultsWith(condition)).toEqual([expect.stringContaining(fault)]);
  });

  test.each([
    'ip_address == "192.0.2.1"',
    'ip_address == "2001:db8::1"',
    'context.ip == "192.0.2.1"',
    'ip_info.v4.asn == "7922"',
    'ip_info.v4.geolocation.country_code in ["DE", "GB"]',
    'vpn_origin_country == "unknown"',
    'lower(vpn_origin_country) == "de"',
  ])("takes %s", (condition) => {
    expect(faultsWith(condition)).toEqual([]);
  });

  test.each([
    ["ip_address", "cidr"],
    ["ip_info.v4.asn", "asn"],
    ["ip_info.v4.geolocation.country_code", "country"],
  ])("is not looked up in a list of texts: %s", (path, type) => {
    const [fault] = faultsOf(
      `ruleset: test\nlists: { qa: { type: string, file: qa.txt } }\nrules:\n  - { id: it, when: ${path} in lists.qa, score: 1 }\n`,
      { "qa.txt": "" },
    );
    expect(fault?.message).toContain(`Declare the list with type: ${type}.`);
  });

  test("has no other spelling in a test", () => {
    const text =
      "ruleset: test\ntests:\n  - { name: a, given: { ip_address: 192.0.2.0/24 }, expect: { action: allow } }\n";
    expect(briefFaultsOf(text)).toEqual([expect.stringContaining("ip_address is a single address")]);
  });
});

describe("a time, a count and a score", () => {
  test.each([
    "identification.first_seen_at > 1758102555",
    "identification.last_seen_at < 3600",
    "timestamp == 0",
    "factory_reset_timestamp == 0",
    "factory_reset_timestamp > 0",
    "velocity.events.1_hour < 0",
    "velocity.distinct_ip.5_minutes >= 0",
    "supplementary_id_high_recall.confidence.score > 0.5",
    "supplementary_id_high_recall.confidence.score < 0.9",
  ])("is never compared with what it cannot be: %s", (condition) => {
    expect(faultsWith(condition)).toEqual([expect.stringMatching(/ (?:can never be|is always) true/)]);
  });

  test.each([
    "identification.first_seen_at > 1758102555000",
    "has(factory_reset_timestamp) && age(factory_reset_timestamp) < 3600",
    "velocity.events.1_hour > 0",
  ])("takes %s", (condition) => {
    expect(faultsWith(condition)).toEqual([]);
  });

  test("is never given in another unit by a test", () => {
    const text =
      "ruleset: test\ntests:\n  - { name: a, given: { timestamp: 1758102555 }, expect: { action: allow } }\n";
    expect(briefFaultsOf(text)).toEqual([expect.stringContaining("timestamp is never below 1000000000000.")]);
  });
});

describe("a pattern for small letters", () => {
  test.each(["(?i)Chrome", "\\\\S+ \\\\D", "\\\\p{Lu}?x", "[^A-Z]+x", "(?P<Name>x)"])("may be %s", (pattern) => {
    expect(faultsWith(`lower(user_agent).matches("${pattern}")`)).toEqual([]);
  });
});
