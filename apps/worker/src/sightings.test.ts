import type { Noticed } from "@assay/ledger";
import type { Event, Verdict } from "@assay/protocol";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createSightings, type Sightings } from "./sightings.ts";

const AT = 1_795_000_000_000;
const event: Event = {
  event_id: `${AT}.abcdef`,
  timestamp: AT,
  sdk: { platform: "js", version: "4.1.0" },
  url: "https://user:word@Shop.example:443/orders/4711?mail=ann@example.com",
  environment_id: "ae_1",
  ip_address: "203.0.113.7",
  linked_id: "ann@example.com",
  identification: { visitor_id: "visitor1" },
  vpn_methods: { relay: false },
  tags: { mail: "ann@example.com" },
};

function aVerdict(changes: Partial<Verdict> = {}): Verdict {
  return {
    schema: "assay.verdict/1",
    id: `s_${"a".repeat(26)}`,
    kind: "sealed",
    action: "allow",
    score: 0,
    reasons: [],
    shadow: [],
    unknown: [],
    checks: {},
    coverage: { rules: 0, judged: 0 },
    ruleset: { name: "default", digest: "d", engine: "e" },
    received_at: AT + 700,
    decided_at: AT + 900,
    ...changes,
  };
}

let written: Noticed[];
let fails: boolean;
let sightings: Sightings;
beforeEach(() => {
  vi.useFakeTimers();
  written = [];
  fails = false;
  sightings = createSightings({
    write: async (noticed) => {
      if (fails) throw new Error("Redis is away");
      written.push(noticed);
    },
  });
});
afterEach(async () => {
  await sightings.stop();
  vi.useRealTimers();
});

const seenIn = (noticed: Noticed | undefined) =>
  noticed?.seen.map(({ kind, name, count }) => `${kind} ${name} ${count}`);

describe("createSightings", () => {
  test("notices where an event comes from and what it holds, and nothing of the visitor", async () => {
    sightings.published(aVerdict(), event);
    await sightings.flush();
    expect(seenIn(written[0])).toEqual([
      "kind sealed 1",
      "platform js 1",
      "origin https://shop.example 1",
      "environment ae_1 1",
      ...["event_id", "timestamp", "sdk", "sdk.platform", "sdk.version", "url", "environment_id", "ip_address"].map(
        (path) => `signal js/${path} 1`,
      ),
      ...["linked_id", "identification", "identification.visitor_id", "vpn_methods", "vpn_methods.relay", "tags"].map(
        (path) => `signal js/${path} 1`,
      ),
    ]);
    expect(written[0]).toMatchObject({ counts: [{ name: "verdicts", count: 1 }], youngestMs: 700 });
    expect(JSON.stringify(written)).not.toMatch(/ann@|203\.0|visitor1|4711|word/);
  });

  test.each<[string, Event, string]>([
    ["the app on iOS", { ...event, sdk: { platform: "ios" }, bundle_id: "com.shop" }, "app com.shop 1"],
    ["the app on Android", { ...event, sdk: { platform: "android" }, package_name: "shop.app" }, "app shop.app 1"],
    ["a platform that is not said", { event_id: "e", timestamp: AT }, "platform unknown 1"],
  ])("notices %s", async (_, changed, expected) => {
    sightings.published(aVerdict(), changed);
    await sightings.flush();
    expect(seenIn(written[0])).toContain(expected);
    expect(seenIn(written[0])?.some((line) => line.startsWith("origin"))).toBe(false);
  });

  test("takes no name that a terminal would obey", async () => {
    sightings.published(aVerdict(), { ...event, environment_id: "\u001b[2J", bundle_id: "" });
    await sightings.flush();
    expect(seenIn(written[0])?.some((line) => /^(?:environment|app) /.test(line))).toBe(false);
  });

  test("remembers no more of a name than is kept", async () => {
    sightings.published(aVerdict(), { ...event, bundle_id: "x".repeat(10_000) });
    await sightings.flush();
    expect(seenIn(written[0])).toContain(`app ${"x".repeat(200)} 1`);
  });

  test("counts what became of lookups, and seals by the key that opened them", async () => {
    sightings.published(aVerdict({ kind: "lookup", undecided: { code: "lookup_saturated" } }), undefined);
    sightings.lookedUp("throttled");
    sightings.lookedUp("event");
    sightings.unsealed({ keyId: "0badc0de" });
    sightings.unsealed({ code: "no_key_opens" });
    await sightings.flush();
    expect(seenIn(written[0])).toEqual([
      "kind lookup 1",
      "lookup throttled 1",
      "lookup event 1",
      "seal ok/0badc0de 1",
      "seal no_key_opens 1",
    ]);
    const counts = { verdicts: 1, lookup_verdicts: 1, lookup_saturated: 1, asked: 2, throttled: 1 };
    expect(Object.fromEntries(written[0]?.counts.map(({ name, count }) => [name, count]) ?? [])).toEqual(counts);
  });

  test("writes every ten seconds, and only what is new", async () => {
    sightings.published(aVerdict(), event);
    await vi.advanceTimersByTimeAsync(10_000);
    await vi.advanceTimersByTimeAsync(10_000);
    sightings.published(aVerdict(), event);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(written.map((noticed) => noticed.counts[0]?.count)).toEqual([1, 1]);
  });

  test("keeps for the next time what could not be written", async () => {
    fails = true;
    sightings.published(aVerdict(), event);
    await vi.advanceTimersByTimeAsync(10_000);
    fails = false;
    sightings.published(aVerdict({ received_at: AT + 500 }), event);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(written).toHaveLength(1);
    expect(written[0]).toMatchObject({ counts: [{ name: "verdicts", count: 2 }], youngestMs: 500 });
    expect(seenIn(written[0])).toContain("origin https://shop.example 2");
  });

  test("writes the last when it is stopped, once", async () => {
    sightings.published(aVerdict(), event);
    await Promise.all([sightings.stop(), sightings.stop()]);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(written).toHaveLength(1);
  });

  test("remembers so many names and no more, whatever browsers invent", async () => {
    for (let n = 0; n < 3000; n++) {
      sightings.published(aVerdict(), { ...event, url: `https://x${n}.example/` });
    }
    await sightings.flush();
    expect(written[0]?.seen).toHaveLength(2000);
    expect(written[0]?.counts).toEqual([{ name: "verdicts", count: 3000 }]);
  });
});
