import { describe, expect, test } from "vitest";
import { createCommands } from "./commands.ts";
import type { Misbehaviour } from "./misbehaviour.ts";

const HANG: Misbehaviour = { kind: "hang" };
const RESET: Misbehaviour = { kind: "reset" };

describe("createCommands", () => {
  test("has a command obeyed once, or as often as it says", () => {
    expect(obeyed(3, (commands) => commands.give(HANG))).toEqual(["hang", "-", "-"]);
    expect(obeyed(3, (commands) => commands.give(HANG, { times: 2 }))).toEqual(["hang", "hang", "-"]);
  });

  test("has commands obeyed in order", () => {
    const both = obeyed(4, (commands) => {
      commands.give(HANG, { times: 2 });
      commands.give(RESET);
    });
    expect(both).toEqual(["hang", "hang", "reset", "-"]);
  });

  test("ends a command without an end with the next one", () => {
    const both = obeyed(3, (commands) => {
      commands.give(HANG, { times: Infinity });
      commands.give(RESET);
    });
    expect(both).toEqual(["reset", "-", "-"]);
  });

  test("obeys a command for one event at that event alone, and before those for all", () => {
    const commands = createCommands();
    commands.give(HANG);
    commands.give(RESET, { eventId: "a" });
    expect(commands.next("a")?.misbehaviour).toBe(RESET);
    expect(commands.next("b")?.misbehaviour).toBe(HANG);
    expect(commands.next("a")).toBeUndefined();
  });

  test("counts the rounds of each event", () => {
    const commands = createCommands();
    commands.give(HANG, { times: Infinity });
    expect(["a", "b", "a"].map((id) => commands.next(id)?.round)).toEqual([0, 0, 1]);
  });

  test("forgets the commands for one event, or all", () => {
    const commands = createCommands();
    commands.give(HANG, { times: Infinity });
    commands.give(RESET, { eventId: "a", times: Infinity });
    commands.forget("a");
    expect(commands.next("a")?.misbehaviour).toBe(HANG);
    commands.forget();
    expect(commands.next("a")).toBeUndefined();
  });

  test.each([0, -1, 1.5, Number.NaN])("refuses to have a command obeyed %j times", (times) => {
    expect(() => createCommands().give(HANG, { times })).toThrow(RangeError);
  });
});

function obeyed(requests: number, give: (commands: ReturnType<typeof createCommands>) => void): string[] {
  const commands = createCommands();
  give(commands);
  return Array.from({ length: requests }, () => commands.next("a")?.misbehaviour.kind ?? "-");
}
