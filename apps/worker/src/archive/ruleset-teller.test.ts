import { createLogger } from "@assay/host";
import type { ToldRuleset } from "@assay/ledger";
import { loadRulesetFolder } from "@assay/rules";
import { describe, expect, test } from "vitest";
import { createRulesetTeller } from "./ruleset-teller.ts";

const HOUR_MS = 3_600_000;

/** A teller whose script answers as it is told to, and a folder of two rulesets. */
function open() {
  const files = Object.entries({ default: "a", coupons: "b" }).map(([name, rule]): [string, string] => [
    `${name}.yaml`,
    `ruleset: ${name}\nrules: [{ id: ${rule}, when: bot == "bad", action: block }]\n`,
  ]);
  const folder = loadRulesetFolder(new Map(files), { folder: "rulesets", now: 0 });
  const lines: string[] = [];
  const told: string[] = [];
  const world = { nowMs: 0, answer: (): Promise<"told" | "known" | "too_large"> => Promise.resolve("told") };
  const tell = createRulesetTeller({
    tellRuleset(ruleset: ToldRuleset) {
      told.push(ruleset.digest);
      return world.answer();
    },
    logger: createLogger({ name: "test", destination: { write: (line: string) => void lines.push(line) } }),
    now: () => world.nowMs,
  });
  return { tell, folder, digests: folder.all.map(({ digest }) => digest), told, lines, world };
}

describe("createRulesetTeller", () => {
  test("tells all rulesets of a folder once an hour, for whoever asks", async () => {
    const { tell, folder, digests, told, world } = open();
    await Promise.all([tell(folder), tell(folder)]);
    world.nowMs = HOUR_MS - 1;
    await tell(folder);
    expect(told).toEqual(digests);
    world.nowMs = HOUR_MS;
    await Promise.all([tell(folder), tell(folder)]);
    expect(told).toEqual([...digests, ...digests]);
  });

  test("lets nobody wait who comes with a folder that was told before", async () => {
    const { tell, folder, told, world } = open();
    await tell(folder);
    world.nowMs = HOUR_MS;
    world.answer = () => new Promise(() => undefined);
    await tell(folder);
    expect(told).toHaveLength(4);
  });

  test("rejects with what passes, and tells again whoever comes next", async () => {
    const { tell, folder, digests, told, world } = open();
    world.answer = () => Promise.reject(new Error("Connection is closed."));
    await expect(tell(folder)).rejects.toThrow("Connection is closed.");
    world.answer = () => Promise.resolve("told");
    await tell(folder);
    expect(told).toEqual([...digests, ...digests]);
  });

  test.each([
    ["is too large", () => Promise.resolve("too_large" as const), "too large to be archived"],
    [
      "cannot be told at all",
      () => Promise.reject(new RangeError("Invalid string length")),
      "cannot be put on its way",
    ],
  ])("goes on without one that %s, and says so", async (_, answer, said) => {
    const { tell, folder, digests, lines, world } = open();
    world.answer = answer;
    await tell(folder);
    expect(lines.filter((line) => line.includes(said))).toHaveLength(digests.length);
  });
});
