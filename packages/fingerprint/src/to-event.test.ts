import { type Event, EVENT_FIELDS, isRecord } from "@assay/protocol";
import type { Event as SdkEvent } from "@fingerprint/node-sdk";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toEvent } from "./to-event.ts";

const ID = { event_id: "1708102555327.NLOjmg", timestamp: 1708102555327 };

describe("toEvent", () => {
  test("takes an event of the vendor's SDK as it is", () => {
    const sdkEvent: SdkEvent = {
      ...ID,
      sdk: { platform: "js", version: "4.0.0" },
      bot: "bad",
      ip_info: { v4: { address: "94.142.239.124" } },
    };
    const check: Event = sdkEvent;
    expect(eventOf(check)).toEqual(sdkEvent);
  });

  test("finds nothing in an event of nothing but documented fields", () => {
    expect(toEvent({ ...ID, vpn: true, tags: { anything: { goes: 1 } } })).toEqual({
      ok: true,
      event: { ...ID, vpn: true, tags: { anything: { goes: 1 } } },
      unknownFields: [],
      unknownValues: [],
      wrongTypes: [],
      signalErrors: [],
    });
  });

  test("leaves absent what is absent", () => {
    expect(eventOf(ID)).toEqual(ID);
  });

  test("makes null absent, at any depth", () => {
    const tags = { order: null, items: [null, { a: null, b: 1 }] };
    const json = { ...ID, vpn: null, bot_info: { name: null, category: "ai_agent" }, tags, new_field: { x: null } };
    const event = { ...ID, bot_info: { category: "ai_agent" }, tags: { items: [{ b: 1 }] }, new_field: {} };
    expect(eventOf(json)).toEqual(event);
  });

  test.each([
    ["null", null, "not_an_object"],
    ["a text", "event", "not_an_object"],
    ["a list", [ID], "not_an_object"],
    ["an empty object", {}, "unknown_shape"],
    ["a search page", { events: [ID] }, "unknown_shape"],
    ["an error", { error: { code: "event_not_found", message: "event id not found" } }, "unknown_shape"],
    ["no time", { event_id: ID.event_id }, "unknown_shape"],
    ["products that all failed", { products: { botd: { error: { code: "Failed" } } } }, "unknown_shape"],
    ["an id that is no text", { ...ID, event_id: 7 }, "invalid_event_id"],
    ["an id that is null", { ...ID, event_id: null }, "invalid_event_id"],
    ["an id with a slash", { ...ID, event_id: "a/b" }, "invalid_event_id"],
    ["an id of dots", { ...ID, event_id: ".." }, "invalid_event_id"],
    ["a time as text", { ...ID, timestamp: "1708102555327" }, "invalid_timestamp"],
    ["a time of 0", { ...ID, timestamp: 0 }, "invalid_timestamp"],
    ["a negative time", { ...ID, timestamp: -1 }, "invalid_timestamp"],
    ["half a millisecond", { ...ID, timestamp: 1.5 }, "invalid_timestamp"],
    ["an endless time", { ...ID, timestamp: Number.POSITIVE_INFINITY }, "invalid_timestamp"],
    ["a v3 event without an id", { products: { vpn: { data: { result: true } } } }, "invalid_event_id"],
    ["a v3 event without a time", { products: { identification: { data: { requestId: "a" } } } }, "invalid_timestamp"],
  ])("refuses %s", (_, json, reason) => {
    expect(toEvent(json)).toEqual({ ok: false, code: "not_an_event", reason });
  });

  test("passes unknown fields and tells their paths", () => {
    const json = { ...ID, quantum: { spin: 1 }, browser_details: { browser_name: "Chrome", engine: "Blink" } };
    expect(toEvent(json)).toMatchObject({ event: json, unknownFields: ["quantum", "browser_details.engine"] });
  });

  test("tells no name of an unknown field that may be a person's", () => {
    const json = { ...ID, "jane@example.com": 1, sdk: { platform: "js", "+4912345": 1 } };
    expect(toEvent(json)).toMatchObject({ event: json, unknownFields: ["*", "sdk.*"] });
  });

  test("passes an undocumented value and tells it", () => {
    const json = { ...ID, bot: "ugly", proxy_details: { proxy_type: "starlink" } };
    expect(toEvent(json)).toMatchObject({
      event: json,
      unknownFields: [],
      unknownValues: [
        { field: "bot", value: "ugly" },
        { field: "proxy_details.proxy_type", value: "starlink" },
      ],
    });
  });

  test("tells no undocumented value that is long or no text", () => {
    const json = { ...ID, bot: "x".repeat(65), proximity: { id: "a", precision_radius: 11 } };
    const read = toEvent(json);
    expect(read).toMatchObject({ event: json });
    expect(read.ok && read.unknownValues).toEqual([{ field: "bot" }, { field: "proximity.precision_radius" }]);
  });

  test.each([
    ["incognito", 1],
    ["incognito", "true"],
    ["bot", true],
    ["suspect_score", "12"],
    ["suspect_score", 1.5],
    ["velocity", []],
    ["tags", "blue"],
    ["labels", {}],
    ["linked_id", { broken: "format" }],
    ["proxy_ml_score", Number.NaN],
  ])("makes a wrong type absent: %s %j", (field, value) => {
    const read = toEvent({ ...ID, [field]: value });
    expect(read).toMatchObject({ ok: true, wrongTypes: [field], unknownValues: [] });
    expect(eventOf({ ...ID, [field]: value })).toEqual(ID);
  });

  test("an edge event has no visitor, and gets none", () => {
    const edge = {
      ...ID,
      source: "edge",
      url: "https://shop.example/login",
      vpn: false,
      vpn_methods: { relay: false },
    };
    expect(toEvent(edge)).toMatchObject({ unknownFields: [], unknownValues: [], wrongTypes: [] });
    expect(eventOf(edge)).toEqual(edge);
  });

  test("triggered_by passes as it is", () => {
    const json = { ...ID, triggered_by: [{ id: "rule_1", name: "bots", description: "Bots on login" }] };
    expect(toEvent(json)).toMatchObject({ event: json, unknownFields: [], wrongTypes: [] });
  });

  test.each(["android", "ios", "js"])("a factory reset at time 0 on %s is not known", (platform) => {
    const sdk = { platform };
    expect(eventOf({ ...ID, sdk, factory_reset_timestamp: 0 })).toEqual({ ...ID, sdk });
    const known = { ...ID, sdk, factory_reset_timestamp: 1_708_100_000_000 };
    expect(eventOf(known)).toEqual(known);
  });

  test("keeps what is right beside a wrong type", () => {
    const json = { ...ID, identification: { visitor_id: 7, visitor_found: true } };
    expect(toEvent(json)).toMatchObject({ event: { ...ID, identification: { visitor_found: true } } });
    expect(toEvent(json)).toMatchObject({ wrongTypes: ["identification.visitor_id"] });
  });

  test("tells at most 32 of a kind", () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`field_${index}`, 1]));
    const read = toEvent({ ...ID, ...many });
    expect(read.ok && read.unknownFields).toHaveLength(32);
    expect(eventOf({ ...ID, ...many })).toEqual({ ...ID, ...many });
  });

  test("keeps mobile signals of a v4 event, which says false itself", () => {
    const json = { ...ID, sdk: { platform: "js", version: "4.0.0" }, emulator: false };
    expect(eventOf(json)).toEqual(json);
  });

  test("takes the signals from a partially completed event, and keeps ids, addresses and context", () => {
    const kept = {
      ...ID,
      incremental_identification_status: "partially_completed",
      source: "device",
      linked_id: "order-1",
      sdk: { platform: "js", version: "4.0.0" },
      replayed: false,
      identification: { visitor_id: "a" },
      url: "https://example.com",
      ip_address: "94.142.239.124",
      user_agent: "Mozilla/5.0",
      tags: { a: 1 },
    };
    const signals = { bot: "not_detected", vpn: false, suspect_score: 0, velocity: {}, tomorrow: true };
    const v4 = { address: "94.142.239.124", geolocation: { country_code: "CZ" } };
    expect(eventOf({ ...kept, ...signals, ip_info: { v4 } })).toEqual({
      ...kept,
      ip_info: { v4: { address: "94.142.239.124" } },
    });
    expect(eventOf({ ...kept, ip_info: { v4: { asn: "1" } } })).toEqual(kept);
  });

  test.each(["completed", "someday"])("keeps the signals of an event that is %s", (status) => {
    const json = { ...ID, incremental_identification_status: status, vpn: false };
    expect(eventOf(json)).toEqual(json);
  });

  test.each([
    ["at the top", `{"event_id":"a","timestamp":1,"__proto__":{"vpn":true}}`],
    ["inside a known field", `{"event_id":"a","timestamp":1,"sdk":{"__proto__":{"vpn":true}}}`],
    ["inside tags", `{"event_id":"a","timestamp":1,"tags":{"x":[{"__proto__":{"vpn":true}}]}}`],
    ["inside an unknown field", `{"event_id":"a","timestamp":1,"x":{"__proto__":{"vpn":true}}}`],
  ])("drops __proto__ %s", (_, text) => {
    const event = eventOf(JSON.parse(text));
    expect(event).not.toHaveProperty("vpn");
    expect(JSON.stringify(event)).not.toContain("__proto__");
    expect(everyObject(event).every((object) => Object.getPrototypeOf(object) === Object.prototype)).toBe(true);
    expect({}).not.toHaveProperty("vpn");
  });

  test.each(["constructor", "toString", "hasOwnProperty"])("treats %s as any unknown field", (name) => {
    expect(toEvent({ ...ID, [name]: 1 })).toMatchObject({ event: { ...ID, [name]: 1 }, unknownFields: [name] });
  });

  test.each([
    ["unknown field", (deep: unknown) => ({ ...ID, deep })],
    ["tag", (deep: unknown) => ({ ...ID, tags: { deep } })],
    [
      "v3 tag",
      (deep: unknown) => ({ products: { identification: { data: { requestId: "a", timestamp: 1, tag: { deep } } } } }),
    ],
    [
      "v3 attribute",
      (deep: unknown) => ({ requestId: "a", timestamp: 1, rawDeviceAttributes: { canvas: { value: deep } } }),
    ],
  ])("survives an %s that is nested without end", (_, wrap) => {
    const deep: unknown = JSON.parse("[".repeat(100_000) + "]".repeat(100_000));
    const event = eventOf(wrap(deep));
    expect(JSON.stringify(event).length).toBeLessThan(500);
  });

  test("never throws on any JSON, never changes it, and gives JSON without null", () => {
    fc.assert(
      fc.property(anyEvent(), (json) => {
        const before = JSON.stringify(json);
        const read = toEvent(json);
        expect(JSON.stringify(json)).toBe(before);
        const event = read.ok ? read.event : {};
        expect(JSON.parse(JSON.stringify(event))).toEqual(event);
        expect(everyValue(event)).not.toContain(null);
      }),
      { numRuns: 500 },
    );
  });

  test("reads its own events as themselves", () => {
    fc.assert(
      fc.property(anyEvent(), (json) => {
        const read = toEvent(json);
        const event = read.ok ? read.event : ID;
        expect(toEvent(event)).toMatchObject({ event, wrongTypes: [] });
      }),
    );
  });
});

/** JSON that often comes close to an event of some version. */
function anyEvent(): fc.Arbitrary<unknown> {
  const anyFields = fc.dictionary(fc.constantFrom(...Object.keys(EVENT_FIELDS), "__proto__", "x"), fc.jsonValue());
  const products = fc.dictionary(
    fc.constantFrom("identification", "botd", "vpn", "ipInfo", "velocity", "labels", "rawDeviceAttributes", "x"),
    fc.oneof(fc.jsonValue(), fc.record({ data: fc.jsonValue() }), fc.record({ error: fc.jsonValue() })),
  );
  const identification = { data: { requestId: "a", timestamp: 1 } };
  const any = fc.oneof(
    fc.jsonValue(),
    anyFields.map((fields) => ({ ...fields, ...ID })),
    products.map((some) => ({ products: { ...some, identification } })),
    products.map((some) => ({ ...some, requestId: "a", timestamp: 1 })),
  );
  // As it comes over the wire: without -0, and with __proto__ as a field.
  return any.map((json): unknown => JSON.parse(JSON.stringify(json)));
}

function eventOf(json: unknown): Event {
  const read = toEvent(json);
  if (!read.ok) throw new Error(read.reason);
  return read.event;
}

function everyValue(value: unknown): unknown[] {
  const inside = Array.isArray(value) ? value : isRecord(value) ? Object.values(value) : [];
  return [value, ...inside.flatMap(everyValue)];
}

function everyObject(value: unknown): object[] {
  return everyValue(value).filter((inside) => isRecord(inside));
}
