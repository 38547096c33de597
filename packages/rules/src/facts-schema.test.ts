import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { rulesetOf } from "../test/build.ts";
import { factsSchema } from "./index.ts";

const ruleset = (facts: string) => rulesetOf(`facts: { ${facts} }`);

describe("factsSchema", () => {
  const takes = new Ajv().compile(
    factsSchema([
      ruleset("amount: number, member: boolean, note: string, tags: list, delivery: [parcel, digital]"),
      ruleset("amount: number, delivery: [pickup], level: number"),
      ruleset("level: string"),
    ]),
  );

  test.each([
    [{}, true],
    [{ amount: 1.5, member: true, note: "x", tags: ["vip"], delivery: "digital" }, true],
    [{ delivery: "pickup", level: 3 }, true],
    [{ level: "gold" }, true],
    [{ level: true }, false],
    [{ amount: "1.5" }, false],
    [{ tags: [1] }, false],
    [{ delivery: "drone" }, false],
    [{ amuont: 1 }, false],
  ])("judges %j: %s", (facts, isFine) => {
    expect(takes(facts)).toBe(isFine);
  });

  test("names who asks for each fact", () => {
    expect(factsSchema([ruleset("amount: number")])).toMatchObject({
      properties: { amount: { type: "number", description: "Asked by test." } },
    });
  });
});
