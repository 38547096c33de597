import { EVENT_FIELDS, isRecord } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { hasVendorFacts, VENDOR_FACTS, vendorFile, vendorFiles, vendorRows } from "../testing/vendor-facts.ts";
import { toEvent } from "./to-event.ts";

const examples = [...vendorFiles("examples/v4"), ...vendorFiles("examples/v3")];
/** Everything else in these folders is an error, a page, a list of visits or a request. */
const IS_EVENT =
  /\/(?:get_event_(?:200|ruleset_200|with_bot_info_200)[^/]*|webhook[^/]*|sealed_event|analyze_200[^/]*)\.json$/;
/** Events by name whose every product failed. */
const IS_EMPTY = /too_many_requests_error/;

const events = examples.filter((path) => IS_EVENT.test(path) && !IS_EMPTY.test(path));

describe.skipIf(!hasVendorFacts)(`toEvent by ${VENDOR_FACTS}`, () => {
  test("has examples to read", () => {
    expect(events.length).toBeGreaterThanOrEqual(25);
    expect(examples.length - events.length).toBeGreaterThanOrEqual(60);
  });

  test.each(events)("reads %s", (path) => {
    expect(toEvent(jsonOf(path))).toMatchObject({ ok: true });
  });

  test.each(events.filter((path) => path.includes("/v4/")))(
    "changes nothing but a factory reset at time 0 in %s",
    (path) => {
      const json: unknown = jsonOf(path);
      const { factory_reset_timestamp: resetAt = 0, ...event } = isRecord(json) ? json : {};
      const expected = resetAt === 0 ? event : json;
      const read = toEvent(json);
      expect(read).toMatchObject({ wrongTypes: [], signalErrors: [] });
      expect(read.ok && read.event).toEqual(expected);
    },
  );

  test.each(examples.filter((path) => !events.includes(path)))("refuses %s", (path) => {
    expect(toEvent(jsonOf(path))).toMatchObject({ ok: false, code: "not_an_event" });
  });
});

interface MapRow {
  readonly v4: string;
  readonly event: string | undefined;
  readonly webhook: string | undefined;
  readonly transform: string;
}

const rows = vendorRows("signals/v3_to_v4_map.json", (row): MapRow => {
  if (!isRecord(row)) throw new Error("Not a row of the map.");
  const { v4, v3_event: event, v3_webhook: webhook, transform } = row;
  const path = (text: unknown) => (typeof text === "string" ? text : undefined);
  return { v4: path(v4) ?? "", event: path(event), webhook: path(webhook), transform: String(transform) };
}).filter(({ v4 }) => v4 !== "" && v4 !== "event_id" && v4 !== "timestamp");

const SENT = { requestId: "a", timestamp: 1 };

describe.skipIf(!hasVendorFacts)(`the map from v3 by ${VENDOR_FACTS}`, () => {
  test.each(rows.filter(({ event }) => event !== undefined))(
    "brings $v4 from an event",
    ({ v4, event = "", transform }) => {
      const json = { products: { identification: { data: { ...SENT } } } };
      const { sent, expected } = sample(v4, transform);
      put(json, event.replaceAll("[]", ".0"), sent);
      expect(valueAt(toEvent(json), `event.${v4.replaceAll("[]", ".0")}`)).toEqual(expected);
    },
  );

  test.each(rows.filter(({ webhook }) => webhook !== undefined))(
    "brings $v4 from a webhook",
    ({ v4, webhook = "", transform }) => {
      const json = { ...SENT };
      const { sent, expected } = sample(v4, transform);
      put(json, webhook.replaceAll("[]", ".0"), sent);
      expect(valueAt(toEvent(json), `event.${v4.replaceAll("[]", ".0")}`)).toEqual(expected);
    },
  );
});

/** What v3 sends for a field, and what v4 has then. */
function sample(v4: string, transform: string): { sent: unknown; expected: unknown } {
  if (transform.startsWith("ISO")) return { sent: "2025-08-12T13:00:00Z", expected: Date.UTC(2025, 7, 12, 13) };
  switch (v4) {
    case "bot":
      return { sent: "notDetected", expected: "not_detected" };
    case "sdk":
      return { sent: { platform: "ios" }, expected: { platform: "ios" } };
    case "browser_details":
      return { sent: { browserName: "x" }, expected: { browser_name: "x" } };
    case "proximity":
      return { sent: { precisionRadius: 10 }, expected: { precision_radius: 10 } };
    case "supplementary_id_high_recall":
      return { sent: { visitorId: "x" }, expected: { visitor_id: "x" } };
    case "raw_device_attributes":
      return { sent: { colorDepth: { value: 5 } }, expected: { color_depth: 5 } };
    case "tags":
      return { sent: { a: "x" }, expected: { a: "x" } };
    default: {
      const value = { string: "x", boolean: true, integer: 5, number: 0.5, object: {}, array: [] };
      const inList = v4.includes("[]");
      const sent = value[inList ? "string" : (EVENT_FIELDS[v4]?.type ?? "string")];
      return { sent, expected: sent };
    }
  }
}

function put(json: Record<string, unknown>, path: string, value: unknown): void {
  const [name = "", ...rest] = path.split(".");
  if (rest.length === 0) json[name] = value;
  else if (rest[0] === "0") {
    const item: Record<string, unknown> = {};
    json[name] = [item];
    put(item, rest.slice(1).join("."), value);
  } else {
    const inside = json[name] ?? {};
    json[name] = inside;
    if (isRecord(inside)) put(inside, rest.join("."), value);
  }
}

function valueAt(json: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((inside, name) => {
    if (Array.isArray(inside)) return inside[Number(name)];
    return isRecord(inside) ? inside[name] : undefined;
  }, json);
}

function jsonOf(path: string): unknown {
  return JSON.parse(vendorFile(path).toString());
}
