import { EVENT_FIELDS, isRecord } from "@assay/protocol";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseFields } from "./field-tree.ts";
import { toEvent } from "./to-event.ts";

const ID = { event_id: "1708102555327.NLOjmg", timestamp: 1708102555327 };

// Few, so that an event often has what is chosen of it.
const PATHS = Object.keys(EVENT_FIELDS).filter((path) => /^(ip_info\b|identification\b|vpn|labels|tags)/.test(path));

describe("chooseFields", () => {
  const value = fc.oneof(fc.constantFrom("a text", 7, true, [null, 1], { a: null }), fc.jsonValue());
  const events = fc.array(fc.tuple(fc.constantFrom(...PATHS), value)).map((fields) => {
    const event: Record<string, unknown> = { ...ID };
    for (const [path, given] of fields) put(event, path.split("."), given);
    return event;
  });
  const paths = fc.uniqueArray(fc.constantFrom(...PATHS), { maxLength: 12 });

  test("has an event read at these paths as a whole one is, and nowhere else", () => {
    fc.assert(
      fc.property(events, paths, (json, some) => {
        const [all, few] = [toEvent(json), toEvent(json, chooseFields(new Set(some)))];
        const needed = ["event_id", "timestamp", "incremental_identification_status"];
        const expected = all.ok ? chosen(all.event, new Set([...some, ...needed])) : undefined;
        expect(few.ok ? few.event : undefined).toEqual(expected);
      }),
    );
  });

  test("chooses nothing by a path that the vendor does not describe", () => {
    const read = toEvent({ ...ID, surprise: 1, vpn: true }, chooseFields(new Set(["surprise", "__proto__"])));
    expect(read).toMatchObject({ event: ID, unknownFields: [] });
  });
});

/** Puts a value where the keys lead, over what is there and no object. */
function put(into: Record<string, unknown>, [key = "", ...inner]: readonly string[], value: unknown): void {
  const below = into[key];
  if (inner.length === 0) into[key] = value;
  else if (isRecord(below)) put(below, inner, value);
  else {
    const made = {};
    into[key] = made;
    put(made, inner, value);
  }
}

/** What of an object stands at these paths, or below one of them. */
function chosen(given: object, paths: ReadonlySet<string>, parent = ""): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]): [string, unknown][] => {
      const path = `${parent}${name}`;
      // It looks like a path, and is none.
      if (name.includes(".")) return [];
      if (paths.has(path)) return [[name, value]];
      const isHolder = [...paths].some((one) => one.startsWith(`${path}.`));
      return isHolder && isRecord(value) ? [[name, chosen(value, paths, `${path}.`)]] : [];
    }),
  );
}
