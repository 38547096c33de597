import { array, assert, nat, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { createFrameReader, type EventFrame } from "./event-frames.ts";

const STREAM = [
  "retry: 2000\nid: p0\n\n",
  'id: p1\nevent: verdict.decided\ndata: {"a":1}\n\n',
  ": heartbeat\n\n",
  ": heartbeat\r\nid: p2\r\n\r\n",
  "data: first\ndata:second\n\n",
].join("");

const FRAMES: EventFrame[] = [
  { event: "message", retryMs: 2000, id: "p0" },
  { event: "verdict.decided", id: "p1", data: '{"a":1}' },
  { event: "message" },
  { event: "message", id: "p2" },
  { event: "message", data: "first\nsecond" },
];

describe("createFrameReader", () => {
  test("reads the same however the text is cut", () => {
    assert(
      property(array(nat(STREAM.length), { maxLength: 20 }), (cuts) => {
        const read = createFrameReader();
        const places = [0, ...cuts.toSorted((a, b) => a - b), STREAM.length];
        const frames = places.flatMap((at, index) => read(STREAM.slice(at, places[index + 1] ?? at)));
        expect(frames).toEqual(FRAMES);
      }),
    );
  });

  test("gives nothing that is not whole", () => {
    expect(createFrameReader()("data: half\n")).toEqual([]);
  });

  test("refuses a block without end", () => {
    const read = createFrameReader();
    expect(() => read("a".repeat(5 * 1024 * 1024))).toThrow(RangeError);
  });
});
