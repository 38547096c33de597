import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lineBatches, linesIn, MAX_LINE_BYTES } from "./line-batches.ts";

async function linesOf(...chunks: Uint8Array[]): Promise<string[]> {
  const lines: string[] = [];
  for await (const batch of lineBatches(streamOf(chunks))) lines.push(...linesIn(batch));
  return lines;
}

async function* streamOf(chunks: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* chunks;
}

describe("lineBatches", () => {
  test("gives every line whole, wherever the stream is cut", async () => {
    const lines = fc.array(
      fc.string({ unit: "grapheme" }).map((line) => line.replaceAll("\n", "")),
      { minLength: 1 },
    );
    await fc.assert(
      fc.asyncProperty(lines, fc.array(fc.nat(40)), fc.boolean(), async (given, sizes, isEnded) => {
        const bytes = Buffer.from(given.join("\n") + (isEnded ? "\n" : ""));
        const chunks: Uint8Array[] = [];
        for (let at = 0, n = 0; at < bytes.length; n++) {
          const size = Math.max(1, sizes[n] ?? 7);
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        const expected = isEnded ? given : given.at(-1) === "" ? given.slice(0, -1) : given;
        expect(await linesOf(...chunks)).toEqual(expected);
      }),
    );
  });

  test("cuts a line that is too long so that it is no JSON, and goes on behind it", async () => {
    const chunk = Buffer.alloc(MAX_LINE_BYTES / 4, "a");
    const long = Array.from({ length: 20 }, () => chunk);
    const [first, cut, last] = await linesOf(Buffer.from('1\n"'), ...long, Buffer.from('"\n2'));
    expect([first, last]).toEqual(["1", "2"]);
    expect(cut?.length).toBeLessThanOrEqual(MAX_LINE_BYTES + 4);
    expect(() => JSON.parse(cut ?? "") as unknown).toThrow(SyntaxError);
  });

  test("gives nothing for an empty stream", async () => {
    expect(await linesOf()).toEqual([]);
  });
});
