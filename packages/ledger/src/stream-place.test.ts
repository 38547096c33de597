import { assert, nat, option, property, record } from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BEGINNING,
  compareStreamIds,
  decodePlace,
  encodePlace,
  idBefore,
  idBehind,
  settlePlace,
  type StreamEdge,
  type StreamPlace,
} from "./stream-place.ts";

const parts = record({ ms: nat(1e12), seq: nat(1000) });
const idOf = ({ ms, seq }: { ms: number; seq: number }) => `${ms}-${seq}`;

/** Ten were added, at 1-0 to 10-0; the last of them are left. */
function leaving(length: number, more: Partial<StreamEdge> = {}): StreamEdge {
  const first = length === 0 ? {} : { firstId: `${11 - length}-0` };
  return { ...first, lastId: "10-0", added: 10, length, hasHoles: false, ...more };
}

describe("compareStreamIds", () => {
  test("orders by time, then by number", () => {
    assert(
      property(parts, parts, (a, b) => {
        const expected = a.ms === b.ms ? a.seq - b.seq : a.ms - b.ms;
        expect(Math.sign(compareStreamIds(idOf(a), idOf(b)))).toBe(Math.sign(expected));
      }),
    );
  });
});

describe("idBehind and idBefore", () => {
  test("name the neighbours of an id", () => {
    assert(
      property(parts, (one) => {
        expect(idBefore(idBehind(idOf(one)))).toBe(idOf(one));
        expect(compareStreamIds(idOf(one), idBehind(idOf(one)))).toBeLessThan(0);
      }),
    );
    expect([idBefore("7-0"), idBehind("6-18446744073709551615")]).toEqual(["6-18446744073709551615", "7-0"]);
  });
});

describe("settlePlace", () => {
  test.each<[string, StreamPlace, StreamEdge, unknown]>([
    ["nothing where all behind it is left", { id: "3-0", ordinal: 3 }, leaving(8), undefined],
    ["nothing where only what it has seen was trimmed", { id: "3-0", ordinal: 3 }, leaving(7), undefined],
    [
      "how many were trimmed behind it",
      { id: "3-0", ordinal: 3 },
      leaving(4),
      { lost: 3, from: 3, to: 7, after: "3-0", before: "7-0" },
    ],
    [
      "it where nothing is left",
      { id: "3-0", ordinal: 3 },
      leaving(0),
      { lost: 7, from: 3, to: 10, after: "3-0", before: "10-1" },
    ],
    [
      "what an archive has not got at the end of a stream that was emptied",
      { id: "10-0", ordinal: 8 },
      leaving(0),
      { lost: 2, from: 10, to: 10, after: "10-0", before: "10-1" },
    ],
    ["nothing at the end of a stream that was emptied", { id: "10-0", ordinal: 10 }, leaving(0), undefined],
    [
      "nothing of a stream that nobody has written to",
      { id: "0-0", ordinal: 0 },
      leaving(0, { lastId: "0-0", added: 0 }),
      undefined,
    ],
    ["no number where the place has none", { id: "3-0" }, leaving(4), { from: 3, to: 7, after: "3-0", before: "7-0" }],
    [
      "no number where entries were taken out by hand",
      { id: "3-0", ordinal: 3 },
      leaving(4, { hasHoles: true }),
      { from: 3, to: 7, after: "3-0", before: "7-0" },
    ],
    [
      "nothing where entries were taken out, and all that is gone was seen",
      { id: "3-0", ordinal: 3 },
      leaving(7, { hasHoles: true }),
      undefined,
    ],
    ["nothing at the beginning", BEGINNING, leaving(4), undefined],
    [
      "that a stream was begun anew",
      { id: "3-0", ordinal: 30 },
      leaving(10),
      { from: 3, to: 1, after: "3-0", before: "1-0" },
    ],
  ])("tells %s", (_, place, edge, gap) => {
    expect(settlePlace(place, edge).gap).toEqual(gap);
  });

  test("tells of a gap once", () => {
    for (const edge of [leaving(4), leaving(10)]) {
      for (const place of [{ id: "3-0", ordinal: 3 }, { id: "3-0", ordinal: 30 }, { id: "3-0" }]) {
        expect(settlePlace(settlePlace(place, edge).place, edge).gap).toBeUndefined();
      }
    }
  });
});

describe("decodePlace", () => {
  test("reads what encodePlace wrote", () => {
    assert(
      property(parts, option(nat(), { nil: undefined }), (id, ordinal) => {
        const place = { id: idOf(id), ...(ordinal === undefined ? {} : { ordinal }) };
        expect(decodePlace(encodePlace(place))).toEqual(place);
      }),
    );
  });

  test.each([
    "",
    "1700000000000-0",
    "abc",
    "*",
    "a b",
    "é",
    Buffer.from("1-0").toString("base64url"),
    Buffer.from("-/1").toString("base64url"),
    "A".repeat(200),
  ])("knows no place by %j", (text) => {
    expect(decodePlace(text)).toBeUndefined();
  });
});
