import type { Context, Event, Kind } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { isBound, judgeChecks } from "./checks.ts";

const NOW = 1_795_000_000_000;
const EVENT_ID = "1795000000000.abcdef";
const V4 = "203.0.113.7";
const V6 = "2001:db8:1:2::1";
const SHOP = "https://shop.example";
const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36";
const RELAY = { vpn: true, vpn_methods: { relay: true } };
const RECALLED = { supplementary_id_high_recall: { visitor_id: "r" } };
const WEB = { context: { origin: SHOP, user_agent: CHROME }, allowed: { origins: [SHOP] } };

interface Given {
  readonly event?: Partial<Event>;
  readonly context?: Context;
  readonly kind?: Kind;
  readonly claimedEventId?: string;
  readonly maxEventAgeMs?: number;
  readonly hasSdk?: boolean;
  readonly allowed?: { readonly origins?: string[]; readonly apps?: string[]; readonly environments?: string[] };
}

function judge({
  event,
  context,
  kind = "sealed",
  claimedEventId,
  maxEventAgeMs = 120_000,
  hasSdk = true,
  allowed = {},
}: Given) {
  return judgeChecks({
    kind,
    event: { event_id: EVENT_ID, timestamp: NOW - 1000, ...(hasSdk ? { sdk: { platform: "js" } } : {}), ...event },
    context: context ?? {},
    receivedAt: NOW,
    maxEventAgeMs,
    settings: {
      maxEventAgeMs: 120_000,
      maxEventAgeMsByFlow: new Map(),
      allowedOrigins: allowed.origins ?? [],
      allowedApps: allowed.apps ?? [],
      allowedEnvironments: allowed.environments ?? [],
      eventUse: "per_flow",
    },
    ...(claimedEventId === undefined ? {} : { claimedEventId }),
  });
}

function at(address: string) {
  return { address };
}

describe("judgeChecks", () => {
  test.each<readonly [promise: string, result: boolean | undefined, given: Given]>([
    ["an event of a second ago is fresh", false, {}],
    ["an event of three minutes ago is stale", true, { event: { timestamp: NOW - 180_000 } }],
    ["an event is not stale at the very age that is allowed", false, { event: { timestamp: NOW - 120_000 } }],
    ["a flow may allow more", false, { event: { timestamp: NOW - 180_000 }, maxEventAgeMs: 1_800_000 }],
    ["a flow may allow less", true, { maxEventAgeMs: 500 }],
    [
      "age counts to when the caller observed it",
      false,
      { event: { timestamp: NOW - 180_000 }, context: { observed_at: NOW - 170_000 } },
    ],
    [
      "what the caller observed too late is stale",
      true,
      { event: { timestamp: NOW - 500_000 }, context: { observed_at: NOW - 170_000 } },
    ],
    ["a clock ahead of ours is never stale", false, { event: { timestamp: NOW + 600_000 } }],
    ["a looked up event is stale as a sealed one is", true, { kind: "lookup", event: { timestamp: NOW - 180_000 } }],
    ["a webhook is never stale", undefined, { kind: "webhook", event: { timestamp: NOW - 180_000 } }],
    ["a backfilled event is never stale", undefined, { kind: "backfill", event: { timestamp: NOW - 180_000 } }],
  ])("stale: %s", (_, result, given) => {
    expect(judge(given).stale).toBe(result);
  });

  test.each<readonly [promise: string, caller: string, event: Partial<Event>, result: boolean | undefined]>([
    ["the same address agrees", V4, { ip_address: V4 }, false],
    ["another address disagrees", V4, { ip_address: "203.0.113.8" }, true],
    ["any address of the event may agree", V4, { ip_address: "203.0.113.8", ip_info: { v4: { address: V4 } } }, false],
    ["all of them may disagree", V4, { ip_address: "203.0.113.8", ip_info: { v4: { address: "203.0.113.9" } } }, true],
    ["a v6 caller agrees with the v6 part", V6, { ip_address: V4, ip_info: { v4: at(V4), v6: at(V6) } }, false],
    ["a v4 caller agrees with the v4 part", V4, { ip_address: V6, ip_info: { v4: at(V4), v6: at(V6) } }, false],
    ["a v6 caller disagrees with the v6 part", V6, { ip_address: V4, ip_info: { v6: at("2001:db8:9::1") } }, true],
    ["v6 agrees by its first 64 bits", "2001:db8:1:2:bbbb::9", { ip_address: V6 }, false],
    ["v6 disagrees by the last of its first 64 bits", "2001:db8:1:3::1", { ip_address: V6 }, true],
    ["spelling of v6 is no difference", "2001:0DB8:0001:0002:0:0:0:1", { ip_address: V6 }, false],
    ["an event's mapped v4 address is that v4 address", V4, { ip_address: `::ffff:${V4}` }, false],
    ["a caller's mapped v4 address is that v4 address", "::ffff:cb00:7107", { ip_address: V4 }, false],
    ["mapped v4 addresses disagree as v4 ones do", "::ffff:203.0.113.8", { ip_address: V4 }, true],
    ["a translator's v4 address is that v4 address", `64:ff9b::${V4}`, { ip_address: V4 }, false],
    ["a translator's v4 addresses disagree as v4 ones do", "64:ff9b::203.0.113.8", { ip_address: V4 }, true],
    ["6to4 agrees by its first 64 bits", "2002:cb00:7107::9", { ip_address: "2002:cb00:7107::1" }, false],
    ["a v4 event says nothing of a v6 caller", V6, { ip_address: V4, ip_info: { v4: at(V4) } }, undefined],
    ["a v6 event says nothing of a v4 caller", V4, { ip_address: V6, ip_info: { v6: at(V6) } }, undefined],
    ["an event without an address says nothing", V4, {}, undefined],
    ["an event with a broken address says nothing", V4, { ip_address: "203.0.113" }, undefined],
    ["a broken address leaves the others", V4, { ip_address: "{[!", ip_info: { v4: at(V4) } }, false],
    ["an event's private address says nothing", V4, { ip_address: "10.0.0.1" }, undefined],
    ["an event's private address leaves the others", V4, { ip_address: "10.0.0.1", ip_info: { v4: at(V4) } }, false],
    ["a caller's private address says nothing", "10.0.0.1", { ip_address: V4 }, undefined],
    ["a caller's Teredo address says nothing", "2001:0:cb00:7107::1", { ip_address: "2001:0:cb00:7107::2" }, undefined],
    ["a caller's text that is no address says nothing", "unknown", { ip_address: V4 }, undefined],
    ["documentation ranges are as good as any", "192.0.2.1", { ip_address: "198.51.100.1" }, true],
    ["another address behind a relay says nothing", V4, { ip_address: "203.0.113.8", ...RELAY }, undefined],
    ["another v6 network behind a relay says nothing", V6, { ip_address: "2001:db8:9::1", ...RELAY }, undefined],
    ["the same address behind a relay agrees", V4, { ip_address: V4, ...RELAY }, false],
    ["no relay is no excuse", V4, { ip_address: "203.0.113.8", vpn_methods: { relay: false } }, true],
    ["a VPN is no relay", V4, { ip_address: "203.0.113.8", vpn: true, vpn_methods: { public_vpn: true } }, true],
  ])("ip_mismatch: %s", (_, ip, event, result) => {
    expect(judge({ event, context: { ip } }).ip_mismatch).toBe(result);
  });

  test.each<readonly [promise: string, caller: string, url: string | undefined, result: boolean | undefined]>([
    ["an origin agrees whatever the path", SHOP, `${SHOP}/cart?x=1`, false],
    ["another origin disagrees", SHOP, "https://evil.example/", true],
    ["another scheme disagrees", SHOP, "http://shop.example/", true],
    ["another port disagrees", SHOP, `${SHOP}:8443/`, true],
    ["another subdomain disagrees", SHOP, "https://www.shop.example/", true],
    ["a path in the caller's origin is left out", `${SHOP}/login`, SHOP, false],
    ["a default port is no difference", `${SHOP}:443`, `${SHOP}/`, false],
    ["capitals are no difference", "https://SHOP.example", "https://shop.EXAMPLE/", false],
    ["a dot at the end of the host is no difference", "https://shop.example.", `${SHOP}/`, false],
    ["a name in another script is its ASCII form", "https://xn--mnchen-3ya.example", "https://münchen.example/", false],
    ["a URL that is not clean has an origin all the same", SHOP, `${SHOP}/login?hope{this{[!`, false],
    ["a blob has its page's origin", SHOP, `blob:${SHOP}/6f2c`, false],
    ["a hybrid app agrees with itself", "capacitor://localhost", "capacitor://localhost/index.html", false],
    ["a hybrid app is no website", SHOP, "ionic://localhost/", true],
    ["an extension agrees with itself", "chrome-extension://abcdef", "chrome-extension://abcdef/popup.html", false],
    ["an extension's request is not the page's", "moz-extension://7c1e", `${SHOP}/`, true],
    ["a local file is not your site", SHOP, "file:///tmp/stolen.html", true],
    ["a null origin says nothing", "null", `${SHOP}/`, undefined],
    ["an empty page says nothing", SHOP, "about:blank", undefined],
    ["a URL that is none says nothing", SHOP, "{[!", undefined],
    ["a host without a scheme says nothing", "shop.example", `${SHOP}/`, undefined],
    ["an event without a URL says nothing", SHOP, undefined, undefined],
  ])("origin_mismatch: %s", (_, origin, url, result) => {
    const event = url === undefined ? {} : { url };
    expect(judge({ event, context: { origin } }).origin_mismatch).toBe(result);
  });

  test.each<readonly [promise: string, caller: string, event: Partial<Event>, result: boolean | undefined]>([
    ["the same agrees", CHROME, { user_agent: CHROME }, false],
    ["another disagrees", "curl/8.7.1", { user_agent: CHROME }, true],
    ["another version disagrees", CHROME.replace("146", "145"), { user_agent: CHROME }, true],
    ["space around it is no difference", CHROME, { user_agent: ` ${CHROME} ` }, false],
    ["a cut one disagrees", CHROME.slice(0, 20), { user_agent: CHROME }, true],
    ["an event without one says nothing", CHROME, {}, undefined],
  ])("user_agent_mismatch: %s", (_, user_agent, event, result) => {
    expect(judge({ event, context: { user_agent } }).user_agent_mismatch).toBe(result);
  });

  test.each<readonly [what: string, given: Given]>([
    ["an Android app", { event: { sdk: { platform: "android" } } }],
    ["an iOS app", { event: { sdk: { platform: "ios" } } }],
    ["a platform that the vendor does not know", { event: { sdk: { platform: "unknown" } } }],
    ["a platform that came later", { event: { sdk: { platform: "visionos" } } }],
    ["an SDK without a platform", { event: { sdk: {} } }],
    ["no SDK", { hasSdk: false }],
  ])("judges neither origin nor user agent of %s", (_, { event, hasSdk = true }) => {
    const page = { url: "https://evil.example/", user_agent: "a" };
    const checks = judge({ ...WEB, hasSdk, event: { ...page, ...event } });
    expect(Object.keys(checks).filter((name) => /origin|user_agent/.test(name))).toEqual([]);
  });

  test.each<readonly [promise: string, result: boolean | undefined, context: Context, event: Partial<Event>]>([
    ["the same agrees", false, { linked_id: "a" }, { linked_id: "a" }],
    ["another disagrees", true, { linked_id: "b" }, { linked_id: "a" }],
    ["capitals are a difference", true, { linked_id: "A" }, { linked_id: "a" }],
    ["an event without one says nothing", undefined, { linked_id: "a" }, {}],
    ["a caller without one says nothing", undefined, {}, { linked_id: "a" }],
  ])("linked_id_mismatch: %s", (_, result, context, event) => {
    expect(judge({ event, context }).linked_id_mismatch).toBe(result);
  });

  test.each<readonly [promise: string, result: boolean | undefined, context: Context, event: Partial<Event>]>([
    ["the same agrees", false, { visitor_id: "a" }, { identification: { visitor_id: "a" } }],
    ["another disagrees", true, { visitor_id: "b" }, { identification: { visitor_id: "a" } }],
    ["the high-recall id agrees too", false, { visitor_id: "r" }, { identification: { visitor_id: "a" }, ...RECALLED }],
    ["neither of the two disagrees", true, { visitor_id: "b" }, { identification: { visitor_id: "a" }, ...RECALLED }],
    ["the high-recall id agrees alone", false, { visitor_id: "r" }, RECALLED],
    ["the high-recall id alone disagrees with nothing", undefined, { visitor_id: "a" }, RECALLED],
    ["an event without a visitor says nothing", undefined, { visitor_id: "a" }, {}],
    ["a caller without one says nothing", undefined, {}, { identification: { visitor_id: "a" } }],
  ])("visitor_id_mismatch: %s", (_, result, context, event) => {
    expect(judge({ event, context }).visitor_id_mismatch).toBe(result);
  });

  test.each<readonly [promise: string, result: boolean | undefined, given: Given]>([
    ["the claimed one agrees", false, { claimedEventId: EVENT_ID }],
    ["another than the claimed one disagrees", true, { claimedEventId: "1795000000000.other1" }],
    ["where none is claimed nothing disagrees", undefined, {}],
  ])("event_id_mismatch: %s", (_, result, given) => {
    expect(judge(given).event_id_mismatch).toBe(result);
  });

  test.each<readonly [promise: string, result: boolean | undefined, url: string, allowed: string[]]>([
    ["one in the list is allowed", false, `${SHOP}/cart`, ["https://www.shop.example", SHOP]],
    ["one outside the list is not", true, "https://evil.example/", [SHOP]],
    ["a local file is not", true, "file:///tmp/stolen.html", [SHOP]],
    ["a hybrid app may be allowed", false, "capacitor://localhost/", ["capacitor://localhost"]],
    ["an extension may be allowed", false, "chrome-extension://abcdef/p.html", ["chrome-extension://abcdef"]],
    ["a URL without an origin says nothing", undefined, "about:blank", [SHOP]],
    ["an empty list is not judged", undefined, "https://evil.example/", []],
  ])("origin_not_allowed: %s", (_, result, url, origins) => {
    expect(judge({ event: { url }, allowed: { origins } }).origin_not_allowed).toBe(result);
  });

  test.each<
    readonly [promise: string, result: boolean | undefined, platform: string | undefined, event: Partial<Event>]
  >([
    ["a bundle in the list is allowed", false, "ios", { bundle_id: "com.shop" }],
    ["a bundle outside the list is not", true, "ios", { bundle_id: "com.evil" }],
    ["a package in the list is allowed", false, "android", { package_name: "com.shop" }],
    ["a package outside the list is not", true, "android", { package_name: "com.evil" }],
    ["an iOS app has no package", true, "ios", { bundle_id: "com.evil", package_name: "com.shop" }],
    ["an Android app has no bundle", true, "android", { bundle_id: "com.shop", package_name: "com.evil" }],
    ["an app that does not say its name says nothing", undefined, "android", {}],
    ["a page in a browser is no app", undefined, "js", { bundle_id: "com.evil" }],
    ["a platform that came later is asked for either", true, "visionos", { bundle_id: "com.evil" }],
    ["no platform is asked for either", true, undefined, { package_name: "com.evil" }],
  ])("app_not_allowed: %s", (_, result, platform, event) => {
    const sdk = platform === undefined ? {} : { platform };
    expect(judge({ event: { ...event, sdk }, allowed: { apps: ["com.shop"] } }).app_not_allowed).toBe(result);
  });

  test.each<readonly [promise: string, result: boolean | undefined, event: Partial<Event>, allowed: string[]]>([
    ["one in the list is allowed", false, { environment_id: "ae_1" }, ["ae_1"]],
    ["one outside the list is not", true, { environment_id: "ae_2" }, ["ae_1"]],
    ["an event without one says nothing", undefined, {}, ["ae_1"]],
    ["an empty list is not judged", undefined, { environment_id: "ae_2" }, []],
  ])("environment_not_allowed: %s", (_, result, event, environments) => {
    expect(judge({ event, allowed: { environments } }).environment_not_allowed).toBe(result);
  });

  test.each<readonly [status: string | undefined, result: boolean | undefined]>([
    ["partially_completed", true],
    ["completed", false],
    ["someday", false],
    [undefined, undefined],
  ])("partial: of %s", (status, result) => {
    const event = status === undefined ? {} : { incremental_identification_status: status };
    expect(judge({ event }).partial).toBe(result);
  });

  test("without context nothing is a mismatch", () => {
    const event = {
      ip_address: V4,
      url: SHOP,
      user_agent: CHROME,
      linked_id: "a",
      identification: { visitor_id: "a" },
    };
    expect(Object.keys(judge({ event })).filter((name) => name.endsWith("_mismatch"))).toEqual([]);
  });

  test("an edge event is judged by what it has", () => {
    const event: Partial<Event> = { source: "edge", ip_address: V4, user_agent: CHROME };
    expect(judge({ event, hasSdk: false, context: { ip: V4, visitor_id: "a", ...WEB.context } })).toEqual({
      event_age_seconds: 1,
      stale: false,
      ip_mismatch: false,
    });
  });

  test("tells the age in seconds, negative when the event's clock is ahead", () => {
    expect(judge({ event: { timestamp: NOW + 2500 } }).event_age_seconds).toBe(-2.5);
  });
});

describe("isBound", () => {
  test("nothing that speaks against the presenter binds", () => {
    expect(isBound(judge({}))).toBe(true);
  });

  test.each<Given>([
    { event: { ip_address: "203.0.113.7" }, context: { ip: "198.51.100.1" } },
    { event: { timestamp: NOW - 180_000 } },
    { event: { user_agent: "a" }, context: { user_agent: "b" } },
    { event: { linked_id: "a" }, context: { linked_id: "b" } },
    { event: { identification: { visitor_id: "a" } }, context: { visitor_id: "b" } },
    { event: { url: SHOP }, context: { origin: "https://evil.example" } },
    { claimedEventId: "1795000000000.other1" },
  ])("a mismatch or staleness does not bind", (given) => {
    expect(isBound(judge(given))).toBe(false);
  });
});
