import { describe, expect, test } from "vitest";
import { read } from "../../test/condition.ts";

describe("createCatalogue", () => {
  test.each([
    ['ip_info.v5.asn == "AS7922"', "Did you mean ip_info.v4.asn or ip_info.v6.asn?"],
    [
      'country_code == "KP"',
      "Did you mean ip_info.v4.geolocation.country_code or ip_info.v6.geolocation.country_code?",
    ],
    ["velocity.distinct_ip.5_minuts > 3", "Did you mean velocity.distinct_ip.5_minutes?"],
  ])("names all names that are equally near to that in %s", (text, meant) => {
    expect(read(text).faults.join()).toContain(meant);
  });
});
