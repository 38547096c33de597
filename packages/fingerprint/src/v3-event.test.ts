import type { Event } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { toEvent } from "./to-event.ts";

const SENT = { requestId: "1708102555327.NLOjmg", timestamp: 1708102555327 };
const ID = { event_id: "1708102555327.NLOjmg", timestamp: 1708102555327 };
const DESKTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120.0.0.0";

describe("a v3 event", () => {
  test("becomes a v4 event", () => {
    const json = {
      products: {
        identification: {
          data: {
            ...SENT,
            visitorId: "visitor",
            visitorFound: true,
            confidence: { score: 0.9, revision: "v1.1" },
            firstSeenAt: { global: "2022-01-01T00:00:00Z", subscription: "2022-03-16T11:31:01.101Z" },
            lastSeenAt: { global: null, subscription: null },
            tag: { order: 1 },
            ip: "61.127.217.15",
            browserDetails: { browserName: "Chrome", osVersion: "7", userAgent: DESKTOP },
          },
        },
        botd: { data: { bot: { result: "notDetected", type: "x" } } },
        tor: { data: { result: true } },
        ipBlocklist: { data: { result: true, details: { emailSpam: true, attackSource: false } } },
        proxy: { data: { result: true, details: { proxyType: "residential", lastSeenAt: "2025-08-12T13:00:00Z" } } },
        velocity: { data: { distinctIp: { intervals: { "5m": 1, "1h": 2, "24h": 3 } }, distinctLinkedId: {} } },
        labels: { data: [{ label: "fraud", mlScore: 0.5 }] },
      },
    };
    expect(eventOf(json)).toEqual({
      ...ID,
      identification: {
        visitor_id: "visitor",
        visitor_found: true,
        confidence: { score: 0.9, version: "v1.1" },
        first_seen_at: Date.UTC(2022, 2, 16, 11, 31, 1, 101),
      },
      tags: { order: 1 },
      ip_address: "61.127.217.15",
      user_agent: DESKTOP,
      browser_details: { browser_name: "Chrome", os_version: "7" },
      bot: "not_detected",
      bot_type: "x",
      ip_blocklist: { email_spam: true, attack_source: false, tor_node: true },
      proxy: true,
      proxy_details: { proxy_type: "residential", last_seen_at: Date.UTC(2025, 7, 12, 13) },
      velocity: { distinct_ip: { "5_minutes": 1, "1_hour": 2, "24_hours": 3 } },
      labels: [{ label: "fraud", ml_score: 0.5 }],
    });
  });

  test("has raw attributes as v4 has them, without those that could not be read", () => {
    const rawDeviceAttributes = {
      data: {
        colorDepth: { value: 30 },
        osCpu: { value: "x" },
        webGlBasics: { value: { vendorUnmasked: "y" } },
        canvas: { value: { Winding: true, Geometry: "g", Text: "t" } },
        plugins: { value: [{ name: "PDF", mimeTypes: [] }] },
        audio: { error: { name: "Error", message: "m" } },
        cpuClass: {},
      },
    };
    expect(eventOf({ products: { identification: { data: SENT }, rawDeviceAttributes } })).toEqual({
      ...ID,
      raw_device_attributes: {
        color_depth: 30,
        oscpu: "x",
        webgl_basics: { vendor_unmasked: "y" },
        canvas: { winding: true, geometry: "g", text: "t" },
        plugins: [{ name: "PDF", mimeTypes: [] }],
      },
    });
  });

  test("leaves the signals of a failed product absent and tells its error", () => {
    const vpn = { data: { result: true }, error: { code: "TooManyRequests", message: "too many requests" } };
    expect(toEvent({ products: { identification: { data: SENT }, vpn } })).toMatchObject({
      event: ID,
      signalErrors: [{ product: "vpn", code: "TooManyRequests" }],
    });
    expect(eventOf({ products: { identification: { data: SENT }, vpn } })).toEqual(ID);
  });

  test("has its id, time and addresses from bot detection when identification failed", () => {
    const botd = {
      data: {
        requestId: ID.event_id,
        time: "2024-02-16T16:55:55.327Z",
        ip: "94.60.143.223",
        url: "https://example.com/login",
        userAgent: "HeadlessChrome",
        bot: { result: "bad" },
      },
    };
    const identification = { error: { code: "Failed", message: "internal server error" } };
    expect(eventOf({ products: { identification, botd } })).toEqual({
      ...ID,
      ip_address: "94.60.143.223",
      url: "https://example.com/login",
      user_agent: "HeadlessChrome",
      bot: "bad",
    });
  });

  test("believes identification before bot detection", () => {
    const identification = { data: { ...SENT, ip: "61.127.217.15" } };
    const botd = { data: { requestId: "other", time: "2020-01-01T00:00:00Z", ip: "94.60.143.223" } };
    expect(eventOf({ products: { botd, identification } })).toEqual({ ...ID, ip_address: "61.127.217.15" });
  });

  test("tells products it does not know and leaves them out", () => {
    const products = { identification: { data: SENT }, aura: { data: { result: true } }, remoteControl: { data: {} } };
    expect(toEvent({ products })).toMatchObject({ event: ID, unknownFields: ["products.aura"] });
  });

  test.each<[what: string, tag: unknown]>([
    ["a number", 271828],
    ["a text", "blue"],
    ["a list", ["blue"]],
    ["true", true],
  ])("loses a tag that is %s, by both doors, and tells so", (_, tag) => {
    const products = { identification: { data: { ...SENT, tag } } };
    for (const json of [{ products }, { ...SENT, tag }]) {
      const read = toEvent(json);
      expect(read).toMatchObject({ wrongTypes: ["tags"] });
      expect(read.ok && read.event).toEqual(ID);
    }
  });

  test("loses a linked id that is an object, and tells so", () => {
    const identification = { data: { ...SENT, linkedId: { broken: "format" }, visitorId: "a" } };
    const read = toEvent({ products: { identification } });
    expect(read).toMatchObject({ wrongTypes: ["linked_id"] });
    expect(read.ok && read.event).toEqual({ ...ID, identification: { visitor_id: "a" } });
  });

  test("loses a factory reset at time 0 on a phone too: it is not known", () => {
    const identification = { data: { ...SENT, sdk: { platform: "android", version: "3" } } };
    const factoryReset = { data: { time: "1970-01-01T00:00:00Z", timestamp: 0 } };
    expect(eventOf({ products: { identification, factoryReset } })).not.toHaveProperty("factory_reset_timestamp");
  });
});

describe("a v3 event of one platform", () => {
  const mobileOnly = { emulator: false, jailbroken: false, frida: false, root_apps: false };

  test.each([
    ["the SDK says js", { sdk: { platform: "js", version: "3" } }, ["incognito", "vpn"]],
    ["the user agent is a desktop's", { browserDetails: { userAgent: DESKTOP } }, ["incognito", "vpn"]],
    ["the SDK says android", { sdk: { platform: "android", version: "3" } }, ["emulator", "frida", "root_apps", "vpn"]],
    [
      "the user agent is Android's own",
      { browserDetails: { userAgent: "Dalvik/2.1.0 (Linux)" } },
      ["emulator", "frida", "root_apps", "vpn"],
    ],
    ["the SDK says ios", { sdk: { platform: "ios", version: "3" } }, ["frida", "jailbroken", "vpn"]],
    [
      "the user agent is an iOS app's",
      { browserDetails: { userAgent: "Shop/1 CFNetwork/1410 Darwin/22" } },
      ["frida", "jailbroken", "vpn"],
    ],
    ["nothing says which", {}, ["emulator", "frida", "incognito", "jailbroken", "root_apps", "vpn"]],
    [
      "a phone's user agent does not say which",
      { browserDetails: { userAgent: "Mozilla/5.0 (Linux; Android 14; wv)" } },
      ["emulator", "frida", "incognito", "jailbroken", "root_apps", "vpn"],
    ],
  ])("has only the signals of that platform: %s", (_, sent, expected) => {
    const off = { data: { result: false } };
    const identification = { data: { ...SENT, ...sent } };
    const products = {
      identification,
      emulator: off,
      jailbroken: off,
      frida: off,
      rootApps: off,
      incognito: off,
      vpn: off,
    };
    const event = eventOf({ products });
    const signals = [...Object.keys(mobileOnly), "incognito", "vpn"].filter((name) => name in event);
    expect(signals.toSorted()).toEqual(expected);
  });

  test("loses a factory reset at time 0 in a browser, and keeps the country its VPN check found", () => {
    const identification = { data: { ...SENT, sdk: { platform: "js", version: "3" } } };
    const factoryReset = { data: { time: "1970-01-01T00:00:00Z", timestamp: 0 } };
    const vpn = { data: { originCountry: "DE", methods: { osMismatch: true } } };
    expect(eventOf({ products: { identification, factoryReset, vpn } })).toEqual({
      ...ID,
      sdk: { platform: "js", version: "3" },
      vpn_origin_country: "DE",
      vpn_methods: { os_mismatch: true },
    });
  });
});

describe("a v3 webhook", () => {
  test("becomes a v4 event", () => {
    const json = {
      ...SENT,
      ip: "216.3.128.12",
      visitorId: "visitor",
      linkedId: "order-1",
      sdk: { platform: "js", version: "3.11.10" },
      userAgent: DESKTOP,
      clientReferrer: "https://google.com",
      incognito: false,
      bot: { result: "bad", type: "selenium" },
      vpn: { result: false, methods: { publicVPN: false } },
      rootApps: { result: false },
      supplementaryIds: { highRecall: { visitorId: "other", confidence: { score: 0 } }, standard: {} },
      proximity: { id: "p", precisionRadius: 10, confidence: 0.95 },
    };
    expect(toEvent(json)).toEqual({
      ok: true,
      event: {
        ...ID,
        ip_address: "216.3.128.12",
        identification: { visitor_id: "visitor" },
        linked_id: "order-1",
        sdk: { platform: "js", version: "3.11.10" },
        user_agent: DESKTOP,
        client_referrer: "https://google.com",
        incognito: false,
        bot: "bad",
        bot_type: "selenium",
        vpn: false,
        vpn_methods: { public_vpn: false },
        supplementary_id_high_recall: { visitor_id: "other", confidence: { score: 0 } },
        proximity: { id: "p", precision_radius: 10, confidence: 0.95 },
      },
      unknownFields: [],
      unknownValues: [],
      wrongTypes: [],
      signalErrors: [],
    });
  });

  test("without a visitor id is an event without one", () => {
    const json = { ...SENT, ip: "216.3.128.12", visitorFound: false, firstSeenAt: null, lastSeenAt: null };
    expect(eventOf(json)).toEqual({ ...ID, ip_address: "216.3.128.12", identification: { visitor_found: false } });
    expect(eventOf(SENT)).toEqual(ID);
  });

  test("tells fields it does not know and leaves them out", () => {
    expect(toEvent({ ...SENT, aura: 1, "jane@example.com": 1 })).toMatchObject({
      event: ID,
      unknownFields: ["aura", "*"],
    });
  });
});

function eventOf(json: unknown): Event {
  const read = toEvent(json);
  if (!read.ok) throw new Error(read.reason);
  return read.event;
}
