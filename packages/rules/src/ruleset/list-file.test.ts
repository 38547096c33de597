import { describe, expect, test } from "vitest";
import type { ListType } from "../condition/list-type.ts";
import { finishSteps } from "../steps.ts";
import { readListFile } from "./list-file.ts";

const NOW = Date.UTC(2026, 5, 1);

function read(text: string, type: ListType = "string", now?: number) {
  return finishSteps(readListFile(type, "lists/it.txt", text, now));
}

const faultsOf = (text: string, type?: ListType, now?: number) =>
  read(text, type, now).faults.faults.map(({ line, column, message }) => `${line}:${column} ${message}`);

describe("readListFile", () => {
  test("reads one value a line, without comments and empty lines", () => {
    const { list, faults } = read("# devices\n\na1\n  b2 # ours\r\n\tc#3\n");
    expect(faults.faults).toEqual([]);
    expect(["a1", "b2", "c#3", "ours", "#"].map((value) => list?.find(value, NOW))).toEqual([
      "a1",
      "b2",
      "c#3",
      false,
      false,
    ]);
  });

  test("reads notes in any order and takes all after why", () => {
    const { list, faults } = read("a until=2026-06-01 by=ann@example.com why=by order, see #12\nb by=ann # until=x");
    expect(faults.faults).toEqual([]);
    expect([list?.find("a", NOW), list?.find("b", NOW)]).toEqual(["a", "b"]);
  });

  test.each([
    ["a,", "1:2 , is no part of a plain value. A line holds one value and no more; a value that holds it is quoted"],
    ["visitor_id,reason", '"visitor_id,reason"'],
    ["a;", "1:2 ; is no part"],
    ["'a'", "1:1 ' is no part"],
    ["a\u200b", "1:2 Here is a character that is not seen (U+200B)"],
    ["a why=moved until=2027-01-01", "1:13 why= takes the rest of the line. Put until= and by= before it."],
  ])("refuses %j, which would match something else than was meant", (text, fault) => {
    expect(read(text).faults.faults.map(({ line, column, message }) => `${line}:${column} ${message}`)).toEqual([
      expect.stringContaining(fault),
    ]);
  });

  test("reads a quoted value as JSON", () => {
    const { list } = read('"two words" by=ann\n"# \\u00e4 \\"x\\""\n');
    expect([list?.find("two words", NOW), list?.find('# ä "x"', NOW)]).toEqual(["two words", '# ä "x"']);
  });

  test.each([
    ["2026-06-01", Date.UTC(2026, 5, 2) - 1],
    ["2026-06-01T12:00Z", Date.UTC(2026, 5, 1, 12)],
    ["2026-06-01T12:00:30.5+02:00", Date.UTC(2026, 5, 1, 10, 0, 30, 500)],
  ])("matches until=%s to its last ms", (until, lastMs) => {
    const { list } = read(`a until=${until}`);
    expect([list?.find("a", lastMs), list?.find("a", lastMs + 1)]).toEqual(["a", false]);
  });

  test.each<[string, string, ListType?]>([
    ["a until=2026-02-30", "1:9 until must be a day, as in 2026-12-31, or a time, as in 2026-12-31T18:00:00Z."],
    ["a until=2026-06-01T12:00", "1:9 until must be a day"],
    ["a until=2026-06-01T25:00Z", "1:9 until must be a day"],
    ["a until=", "1:3 until= needs a value."],
    ["a by=", "1:3 by= needs a value."],
    ["a by=b by=c", "1:8 by stands twice."],
    ["a utnil=2026-01-01", "1:3 utnil=2026-01-01 is not known after a value. Did you mean until=?"],
    ["\nMozilla/5.0 (X11)", "2:13 (X11) is not known after a value. It is followed by until=, by=, why= or a comment"],
    ["a, b", "1:4 b is not known after a value."],
    ['"a', "1:1 This quoted value cannot be read."],
    ['""', "1:1 This quoted value cannot be read."],
    ["ok\n10.0.0.0/33", "1:1 ok", "cidr"],
    ["DE\n XX", "2:2 XX is not a country", "country"],
  ])("refuses %j", (text, fault, type) => {
    const told = faultsOf(text, type).join("\n");
    expect(told).toContain(fault);
    expect(read(text, type).list).toBeUndefined();
  });

  test("tells every faulty line, up to twenty", () => {
    expect(faultsOf("a b\nc\nd e\n")).toHaveLength(2);
    const many = faultsOf("a b\n".repeat(1000));
    expect(many).toHaveLength(21);
    expect(many.at(-1)).toBe("20:1 These are 20 faults of this list. The lines below were not read.");
  });

  test("warns once of entries that are over", () => {
    const text = "a until=2026-05-31\nb until=2026-06-01\nc\nd until=2020-01-01\n";
    expect(faultsOf(text, "string", NOW)).toEqual([
      "1:1 This entry is past its until and matches nothing any more. Remove it. So are 1 more below.",
    ]);
    expect(faultsOf(text)).toEqual([]);
    expect(read(text, "string", NOW).list?.find("c", NOW)).toBe("c");
  });

  test("holds 100,000 entries and no more, in 8 MiB and no more", () => {
    const full = Array.from({ length: 100_000 }, (_, index) => `v${index}\n`).join("");
    expect(read(full).list?.find("v99999", NOW)).toBe("v99999");
    expect(faultsOf(`${full}x\n`)).toEqual(["100001:1 A list may hold at most 100000 entries."]);
    expect(faultsOf(`a # ${"x".repeat(8 * 1024 * 1024)}`)).toEqual([
      expect.stringContaining("1:1 A list may take at most 8 MiB; this one takes"),
    ]);
  });

  test("has a digest of what it matches, not of notes and comments", () => {
    const { digest } = read("a until=2026-06-01\nb\n");
    expect(read("# ours\na until=2026-06-01 by=x why=y\n\nb #\n").digest).toBe(digest);
    for (const other of ["a\nb\n", "a until=2026-06-02\nb\n", "a until=2026-06-01\n"]) {
      expect(read(other).digest).not.toBe(digest);
    }
    expect(read("DE", "country").digest).not.toBe(read("DE", "string").digest);
  });
});
