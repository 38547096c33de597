import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAddress, stripPort } from "./address.ts";

describe("parseAddress", () => {
  test.each([
    ["81.2.69.142", { family: 4, text: "81.2.69.142", network: "81.2.69.142", isPrivate: false }],
    ["::ffff:81.2.69.142", { family: 4, text: "81.2.69.142", network: "81.2.69.142", isPrivate: false }],
    ["::ffff:5102:458e", { family: 4, text: "81.2.69.142", network: "81.2.69.142", isPrivate: false }],
    [
      "2a00:1450:4001:0081::200E",
      { family: 6, text: "2a00:1450:4001:81:0:0:0:200e", network: "2a00:1450:4001:81::/64", isPrivate: false },
    ],
    ["64:ff9b::81.2.69.142", { family: 4, text: "81.2.69.142", network: "81.2.69.142", isPrivate: false }],
    [
      "2002:5102:458e::1",
      { family: 6, text: "2002:5102:458e:0:0:0:0:1", network: "2002:5102:458e:0::/64", isPrivate: false },
    ],
    ["2001:db8::7%eth0", { family: 6, text: "2001:db8:0:0:0:0:0:7", network: "2001:db8:0:0::/64", isPrivate: false }],
    ["1::", { family: 6, text: "1:0:0:0:0:0:0:0", network: "1:0:0:0::/64", isPrivate: false }],
    ["fe80::1%eth0", { family: 6, text: "fe80:0:0:0:0:0:0:1", network: "fe80:0:0:0::/64", isPrivate: true }],
  ])("reads %s", (text, expected) => {
    expect(parseAddress(text)).toEqual(expected);
  });

  test.each([
    "",
    "localhost",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "1.2.3.4:80",
    "[::1]",
    "1.2.3.4, 5.6.7.8",
    "1.2.3.4%eth0",
    ":::",
    "1::2::3",
    "12345::",
  ])("knows no address in %j", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test.each([
    "10.0.0.1",
    "127.0.0.1",
    "0.0.0.0",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.1.1",
    "100.64.0.1",
    "100.127.255.255",
    "::1",
    "::",
    "fc00::1",
    "fdff::1",
    "fe80::1",
    "febf::1",
    "::ffff:10.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::81.2.69.142",
    "2001:0:5102:458e::1",
  ])("takes %s for private", (text) => {
    expect(parseAddress(text)?.isPrivate).toBe(true);
  });

  test.each([
    "9.255.255.255",
    "11.0.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.167.1.1",
    "169.253.1.1",
    "100.63.255.255",
    "100.128.0.1",
    "::2",
    "fbff::1",
    "fe00::1",
    "fec0::1",
    "64:ff9b:2::1",
    "2001:db8::1",
    "2001:1::1",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "::ffff:11.0.0.1",
  ])("takes %s for public", (text) => {
    expect(parseAddress(text)?.isPrivate).toBe(false);
  });

  test("puts two addresses into one network exactly when their first 64 bits are equal", () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    const groups = fc.tuple(group, group, group, group);
    fc.assert(
      fc.property(groups, groups, groups, groups, (networkA, networkB, hostA, hostB) => {
        const text = (...parts: number[][]) =>
          parts
            .flat()
            .map((part) => part.toString(16))
            .join(":");
        const a = parseAddress(text(networkA, hostA));
        const sibling = parseAddress(text(networkA, hostB));
        const other = parseAddress(text(networkB, hostA));
        fc.pre(a?.family === 6 && sibling?.family === 6 && other?.family === 6);
        expect(a.network).toBe(sibling.network);
        expect(a.network === other.network).toBe(text(networkA) === text(networkB));
      }),
    );
  });

  test("gives every spelling of an address one text", () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const address = parseAddress(text);
        expect(address).toBeDefined();
        expect(parseAddress(address?.text ?? "")).toEqual(address);
        expect(parseAddress(text.toUpperCase())).toEqual(address);
      }),
    );
  });
});

describe("stripPort", () => {
  test.each([
    ["1.2.3.4:80", "1.2.3.4"],
    ["1.2.3.4", "1.2.3.4"],
    ["[2001:db8::1]:443", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["2001:db8::1", "2001:db8::1"],
    ["example.com:80", "example.com:80"],
  ])("makes %s %s", (text, expected) => {
    expect(stripPort(text)).toBe(expected);
  });
});
