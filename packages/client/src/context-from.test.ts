import { describe, expect, test } from "vitest";
import { contextFrom, type ContextFromOptions, type RequestLike } from "./context-from.ts";

const PROXIES = ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"];

function request(remoteAddress: string | undefined, headers: RequestLike["headers"] = {}): RequestLike {
  return { headers, socket: { remoteAddress } };
}

function ipOf(remoteAddress: string | undefined, forwarded: string | string[], options?: ContextFromOptions) {
  return contextFrom(request(remoteAddress, { "x-forwarded-for": forwarded }), options).ip;
}

describe("contextFrom", () => {
  test("takes the address of the connection, the origin and the user agent", () => {
    const headers = { origin: "https://shop.example", "user-agent": "Mozilla/5.0" };
    expect(contextFrom(request("203.0.113.9", headers))).toEqual({
      ip: "203.0.113.9",
      origin: "https://shop.example",
      user_agent: "Mozilla/5.0",
    });
  });

  test.each<[string, string | undefined, string | string[], ContextFromOptions["trustedProxies"], string | undefined]>([
    ["believes no header by default", "203.0.113.9", "198.51.100.1", undefined, "203.0.113.9"],
    ["believes no header of a stranger", "203.0.113.9", "198.51.100.1", PROXIES, "203.0.113.9"],
    ["believes what a trusted proxy saw", "10.1.2.3", "198.51.100.1", PROXIES, "198.51.100.1"],
    [
      "does not believe what the visitor wrote before that",
      "10.1.2.3",
      "1.2.3.4, 198.51.100.1",
      PROXIES,
      "198.51.100.1",
    ],
    ["passes over several trusted proxies", "10.1.2.3", "1.2.3.4, 198.51.100.1, 192.0.2.7", PROXIES, "198.51.100.1"],
    ["stops at the first one not trusted", "10.1.2.3", "1.2.3.4, 198.51.100.1, 192.0.2.8", PROXIES, "192.0.2.8"],
    ["joins a repeated header", "10.1.2.3", ["1.2.3.4", "198.51.100.1"], PROXIES, "198.51.100.1"],
    ["knows a proxy by its v4-mapped address", "::ffff:10.1.2.3", "198.51.100.1", PROXIES, "198.51.100.1"],
    ["knows a proxy by its v6 range", "2001:db8::1", "2606:4700::1", PROXIES, "2606:4700:0:0:0:0:0:1"],
    ["strips ports", "10.1.2.3", "198.51.100.1:4711", PROXIES, "198.51.100.1"],
    ["takes the last trusted one when nobody stands behind", "10.1.2.3", "10.9.9.9", PROXIES, "10.9.9.9"],
    ["takes the proxy when it says nothing", "10.1.2.3", "", PROXIES, "10.1.2.3"],
    ["says nothing when a trusted proxy does not know", "10.1.2.3", "198.51.100.1, unknown", PROXIES, undefined],
    ["counts proxies", "10.1.2.3", "1.2.3.4, 198.51.100.1", 1, "198.51.100.1"],
    ["counts two proxies", "10.1.2.3", "1.2.3.4, 198.51.100.1, 10.7.7.7", 2, "198.51.100.1"],
    ["counts no further than the list goes", "10.1.2.3", "198.51.100.1", 5, "198.51.100.1"],
    ["says nothing of a socket that is gone", undefined, "198.51.100.1", undefined, undefined],
  ])("%s", (_, remoteAddress, forwarded, trustedProxies, ip) => {
    expect(ipOf(remoteAddress, forwarded, trustedProxies === undefined ? {} : { trustedProxies })).toBe(ip);
  });

  test.each([
    ["an opaque origin", { origin: "null" }],
    ["an endless origin", { origin: `https://${"a".repeat(600)}.example` }],
    ["an endless user agent", { "user-agent": "M".repeat(3000) }],
    ["empty headers", { origin: "", "user-agent": "" }],
  ])("leaves out %s", (_, headers) => {
    expect(contextFrom(request("203.0.113.9", headers))).toEqual({ ip: "203.0.113.9" });
  });

  test("says when the event was observed, if it is told", () => {
    expect(contextFrom(request(undefined), { observedAt: 1_800_000_000_000 })).toEqual({
      observed_at: 1_800_000_000_000,
    });
  });

  test.each(["proxy.example", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "", "2001:db8::/129"])(
    "refuses %j as a trusted proxy",
    (proxy) => {
      expect(() => contextFrom(request("203.0.113.9"), { trustedProxies: [proxy] })).toThrow(TypeError);
    },
  );

  test.each([1.5, Number.POSITIVE_INFINITY, -1, Number.NaN])("refuses %d trusted proxies", (trustedProxies) => {
    expect(() => contextFrom(request("203.0.113.9"), { trustedProxies })).toThrow(TypeError);
  });
});
