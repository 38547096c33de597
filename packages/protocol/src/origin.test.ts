import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseOrigin } from "./origin.ts";

describe("parseOrigin", () => {
  test.each([
    ["https://shop.example", "https://shop.example"],
    ["https://shop.example/cart?x=1#y", "https://shop.example"],
    ["https://shop.example:443/", "https://shop.example"],
    ["http://shop.example:80", "http://shop.example"],
    ["https://shop.example:8443", "https://shop.example:8443"],
    ["HTTPS://Shop.Example", "https://shop.example"],
    ["https://shop.example.", "https://shop.example"],
    ["https://shop.example.:8443/", "https://shop.example:8443"],
    ["https://münchen.example/", "https://xn--mnchen-3ya.example"],
    ["https://anna:secret@shop.example/", "https://shop.example"],
    ["https://[2001:DB8::1]:443/", "https://[2001:db8::1]"],
    ["https://www.example.com/login?hope{this{[!works", "https://www.example.com"],
    ["blob:https://shop.example/6f2c", "https://shop.example"],
    ["capacitor://localhost/index.html", "capacitor://localhost"],
    ["ionic://localhost", "ionic://localhost"],
    ["chrome-extension://ABCDEF/popup.html", "chrome-extension://abcdef"],
    ["moz-extension://7c1e-22/popup.html", "moz-extension://7c1e-22"],
    ["file:///android_asset/www/index.html", "file://"],
    ["file://server/share/page.html", "file://"],
  ])("reads %s as %s", (text, origin) => {
    expect(parseOrigin(text)).toBe(origin);
  });

  test.each(["", "null", "shop.example", "shop.example:443", "localhost:3000", "{[!", "https://", "about:blank"])(
    "knows no origin in %j",
    (text) => {
      expect(parseOrigin(text)).toBeUndefined();
    },
  );

  test.each(["about:srcdoc", "data:text/html,hello", "blob:null/6f2c", "javascript:0", "mailto:a@shop.example"])(
    "knows no origin in the opaque URL %s",
    (text) => {
      expect(parseOrigin(text)).toBeUndefined();
    },
  );

  test("reads its own origins as themselves", () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
        const origin = parseOrigin(url);
        expect(origin).toBeDefined();
        expect(parseOrigin(origin ?? "")).toBe(origin);
      }),
    );
  });

  test("reads a name with other letters though it has read very many", () => {
    const read = Array.from({ length: 20_000 }, () => parseOrigin("https://münchen.example/"));
    expect(new Set(read)).toEqual(new Set(["https://xn--mnchen-3ya.example"]));
  });
});
