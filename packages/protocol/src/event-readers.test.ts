import { describe, expect, test } from "vitest";
import { EVENT_FIELDS, EVENT_READERS, type Signal } from "./index.ts";

const VALUES: Readonly<Record<string, unknown>> = {
  string: "a text",
  boolean: false,
  integer: 7,
  number: 0.5,
  array: [1],
  object: {},
};

const fields = Object.entries(EVENT_FIELDS).map(([path, { type }], place) => ({ path, type, place }));

// All that the readers find in an event where a value stands at one path.
function read(path: string, value: unknown): (Signal | undefined)[] {
  const event = path.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  const values: (Signal | undefined)[] = fields.map(() => undefined);
  for (const reader of Object.values(EVENT_READERS)) reader(Object(event), values);
  return values;
}

describe("EVENT_READERS", () => {
  test.each(fields)("puts $path into its place", ({ path, type, place }) => {
    const found = type === "object" ? true : VALUES[type];
    expect(read(path, VALUES[type])[place]).toEqual(found);
  });

  test.each(fields)("leaves $path out when it is of another type, or absent", ({ path, type, place }) => {
    const others = Object.keys(VALUES).filter((other) => other !== type && !(isNumber(type) && isNumber(other)));
    for (const other of others) expect(read(path, VALUES[other])[place]).toBeUndefined();
    for (const value of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(read(path, value)[place]).toBeUndefined();
    }
  });

  test.each(fields.filter(({ path }) => path.includes(".")))("finds no $path below what is no object", ({ path }) => {
    const [root = ""] = path.split(".");
    for (const value of ["text", 1, true, null, [[]]]) {
      expect(read(root, value).filter((_, place) => fields[place]?.path.startsWith(`${root}.`))).toEqual(
        fields.filter((field) => field.path.startsWith(`${root}.`)).map(() => undefined),
      );
    }
  });

  test("reads each field by the reader of its first key", () => {
    for (const { path, type, place } of fields) {
      const [root = ""] = path.split(".");
      const values: (Signal | undefined)[] = [];
      const event = path.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), VALUES[type]);
      (EVENT_READERS[root] ?? EVENT_READERS["*"])?.(Object(event), values);
      expect(values[place]).toBeDefined();
    }
  });
});

function isNumber(type: string): boolean {
  return type === "integer" || type === "number";
}
