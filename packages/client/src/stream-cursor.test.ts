import { assert, property, shuffledSubarray } from "fast-check";
import { describe, expect, test } from "vitest";
import { createStreamCursor } from "./stream-cursor.ts";

describe("createStreamCursor", () => {
  test("stands behind the last one before which all are acknowledged, in whatever order they are", () => {
    const ids = ["a", "b", "c", "d", "e"];
    assert(
      property(shuffledSubarray(ids), (acknowledged) => {
        const cursor = createStreamCursor("start");
        for (const id of ids) cursor.receive(id, id);
        for (const id of acknowledged) cursor.acknowledge(id);
        const firstOpen = ids.findIndex((id) => !acknowledged.includes(id));
        const all = firstOpen === -1 ? ids.length : firstOpen;
        expect(cursor.place()).toBe(all === 0 ? "start" : ids[all - 1]);
      }),
    );
  });

  test("moves on by what needs no acknowledgement, but not past what does", () => {
    const cursor = createStreamCursor(undefined);
    cursor.pass("a");
    expect(cursor.place()).toBe("a");
    cursor.receive("b", "b");
    cursor.pass("c");
    expect(cursor.place()).toBe("a");
    cursor.acknowledge("b");
    expect(cursor.place()).toBe("c");
  });

  test("counts what comes again, also under another id, but for what was acknowledged, and moves on", () => {
    const cursor = createStreamCursor(undefined);
    expect([cursor.receive("a", "1"), cursor.receive("b", "2")]).toEqual([1, 1]);
    cursor.acknowledge("b");
    expect([cursor.receive("a", "1x"), cursor.receive("b", "2x")]).toEqual([2, undefined]);
    cursor.acknowledge("a");
    expect(cursor.place()).toBe("2");
  });
});
