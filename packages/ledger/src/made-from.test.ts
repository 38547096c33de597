import { EVENT_SOURCES } from "@assay/protocol";
import { array, assert, boolean, constantFrom, integer, option, property, record, string } from "fast-check";
import { describe, expect, test } from "vitest";
import { type Inputs, readInputs } from "./inputs.ts";
import { type MadeFrom, readMadeFrom, writeMadeFrom } from "./made-from.ts";

const claims = record({ reused: boolean(), elsewhere: boolean(), uses: integer({ min: 1, max: 1000 }) }).map(
  ({ reused, elsewhere, uses }) => `${Number(reused)}|${Number(elsewhere)}|${uses}`,
);
const counters = array(
  record({ value: integer({ min: 0, max: 1000 }), isWarming: boolean() }).map(
    ({ value, isWarming }) => `${value}${isWarming ? "w" : ""}`,
  ),
  { maxLength: 5 },
);
const inputs = record({ claim: option(claims, { nil: "" }), counters }).map(
  ({ claim, counters: values }): Inputs | undefined =>
    claim === "" && values.length === 0 ? undefined : readInputs([claim, ...values]),
);
const digest = string({ unit: constantFrom("0", "7", "a", "f"), minLength: 16, maxLength: 16 });

describe("what a verdict was made from", () => {
  test("is read as it was written, whatever was asked of shared memory", () => {
    assert(
      property(
        inputs,
        digest,
        option(digest, { nil: undefined }),
        option(constantFrom(...EVENT_SOURCES), { nil: undefined }),
        boolean(),
        constantFrom("", "no_key_opens"),
        (pinned, ruleset, candidate, source, hasDigest, undecided) => {
          const madeFrom: MadeFrom = {
            ruleset,
            ...(pinned === undefined ? {} : { inputs: pinned }),
            ...(candidate === undefined ? {} : { candidate }),
            ...(source === undefined ? {} : { source }),
            ...(source !== undefined && hasDigest ? { eventDigest: "abc_-123" } : {}),
          };
          expect(readMadeFrom(`${writeMadeFrom(madeFrom)}|${undecided}`)).toEqual(madeFrom);
        },
      ),
    );
  });

  test("is written as it always was", () => {
    expect(writeMadeFrom({ ruleset: "d1" })).toBe("|d1||");
    const asked = { inputs: readInputs(["0|1|2", "3w", "4"]), ruleset: "d1", candidate: "d2" };
    expect(writeMadeFrom({ ...asked, source: "lookup", eventDigest: "h" })).toBe("0|1|2|3w|4|d1|d2|lookup:h");
  });

  test.each(["", "d1||", "|d1||somehow|"])("is nothing that can be read in %j", (text) => {
    expect(readMadeFrom(text)).toBeUndefined();
  });
});
