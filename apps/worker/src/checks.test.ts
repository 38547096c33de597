import type { Context, Event, Kind } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { isBound, judgeChecks } from "./checks.ts";

const NOW = 1_795_000_000_000;

interface Given {
  readonly event?: Partial<Event>;
  readonly context?: Context;
  readonly kind?: Kind;
  readonly claimedEventId?: string;
  readonly allowed?: { readonly origins?: string[]; readonly apps?: string[]; readonly environments?: string[] };
}

function judge({ event, context, kind = "sealed", claimedEventId, allowed = {} }: Given) {
  return judgeChecks({
    kind,
    event: { event_id: "1795000000000.abcdef", timestamp: NOW - 1000, sdk: { platform: "js" }, ...event },
    context: context ?? {},
    receivedAt: NOW,
    maxEventAgeMs: 120_000,
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

describe("judgeChecks", () => {
  test.each<{ promise: string; check: keyof ReturnType<typeof judge>; result: boolean | undefined } & Given>([
    { promise: "an event of a second ago is fresh", check: "stale", result: false },
    {
      promise: "an event of three minutes ago is stale",
      check: "stale",
      result: true,
      event: { timestamp: NOW - 180_000 },
    },
    {
      promise: "age counts to when the caller observed it",
      check: "stale",
      result: false,
      event: { timestamp: NOW - 180_000 },
      context: { observed_at: NOW - 170_000 },
    },
    {
      promise: "a clock ahead of ours is never stale",
      check: "stale",
      result: false,
      event: { timestamp: NOW + 600_000 },
    },
    {
      promise: "a webhook is never stale",
      check: "stale",
      result: undefined,
      kind: "webhook",
      event: { timestamp: NOW - 180_000 },
    },
    {
      promise: "the same address agrees",
      check: "ip_mismatch",
      result: false,
      event: { ip_address: "203.0.113.7" },
      context: { ip: "203.0.113.7" },
    },
    {
      promise: "another address disagrees",
      check: "ip_mismatch",
      result: true,
      event: { ip_address: "203.0.113.7" },
      context: { ip: "203.0.113.8" },
    },
    {
      promise: "any address of the event may agree",
      check: "ip_mismatch",
      result: false,
      event: { ip_address: "203.0.113.7", ip_info: { v4: { address: "203.0.113.8" } } },
      context: { ip: "203.0.113.8" },
    },
    {
      promise: "v6 agrees by its first 64 bits",
      check: "ip_mismatch",
      result: false,
      event: { ip_address: "2001:db8:1:2:aaaa::1" },
      context: { ip: "2001:db8:1:2:bbbb::9" },
    },
    {
      promise: "a mapped v4 address is that v4 address",
      check: "ip_mismatch",
      result: false,
      event: { ip_address: "::ffff:203.0.113.7" },
      context: { ip: "203.0.113.7" },
    },
    {
      promise: "addresses of two families cannot be judged",
      check: "ip_mismatch",
      result: undefined,
      event: { ip_address: "203.0.113.7" },
      context: { ip: "2001:db8::1" },
    },
    {
      promise: "without context nothing is a mismatch",
      check: "ip_mismatch",
      result: undefined,
      event: { ip_address: "203.0.113.7" },
    },
    {
      promise: "another linked id disagrees",
      check: "linked_id_mismatch",
      result: true,
      event: { linked_id: "a" },
      context: { linked_id: "b" },
    },
    {
      promise: "another visitor id disagrees",
      check: "visitor_id_mismatch",
      result: true,
      event: { identification: { visitor_id: "a" } },
      context: { visitor_id: "b" },
    },
    {
      promise: "an origin agrees whatever the path",
      check: "origin_mismatch",
      result: false,
      event: { url: "https://shop.example/cart?x=1" },
      context: { origin: "https://shop.example" },
    },
    {
      promise: "another origin disagrees",
      check: "origin_mismatch",
      result: true,
      event: { url: "https://evil.example/" },
      context: { origin: "https://shop.example" },
    },
    {
      promise: "an app's origin is not judged",
      check: "origin_mismatch",
      result: undefined,
      event: { sdk: { platform: "ios" }, url: "https://evil.example/" },
      context: { origin: "https://shop.example" },
    },
    {
      promise: "a URL that is none cannot be judged",
      check: "origin_mismatch",
      result: undefined,
      event: { url: "{[!" },
      context: { origin: "https://shop.example" },
    },
    {
      promise: "another user agent disagrees",
      check: "user_agent_mismatch",
      result: true,
      event: { user_agent: "a" },
      context: { user_agent: "b" },
    },
    {
      promise: "an origin outside the list is not allowed",
      check: "origin_not_allowed",
      result: true,
      event: { url: "https://evil.example/" },
      allowed: { origins: ["https://shop.example"] },
    },
    {
      promise: "an empty list is not judged",
      check: "origin_not_allowed",
      result: undefined,
      event: { url: "https://evil.example/" },
    },
    {
      promise: "a bundle outside the list is not allowed",
      check: "app_not_allowed",
      result: true,
      event: { bundle_id: "com.evil" },
      allowed: { apps: ["com.shop"] },
    },
    {
      promise: "an environment in the list is allowed",
      check: "environment_not_allowed",
      result: false,
      event: { environment_id: "ae_1" },
      allowed: { environments: ["ae_1"] },
    },
    {
      promise: "another event id than claimed disagrees",
      check: "event_id_mismatch",
      result: true,
      claimedEventId: "1795000000000.other1",
    },
    {
      promise: "a partial event says so",
      check: "partial",
      result: true,
      event: { incremental_identification_status: "partially_completed" },
    },
  ])("$promise", ({ check, result, ...given }) => {
    expect(judge(given)[check]).toBe(result);
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
  ])("a mismatch or staleness does not bind", (given) => {
    expect(isBound(judge(given))).toBe(false);
  });
});
