import { describe, expect, test } from "vitest";
import { loadRuleset } from "../ruleset.ts";
import { countersOf, viewOf } from "./view.ts";

const RECEIVED_AT = 1_795_000_000_000;
const EVENT = { event_id: "e1", timestamp: RECEIVED_AT - 1000, identification: { visitor_id: "v1" } };

function rulesetOf(counters: string, name = "default") {
  return loadRuleset(`ruleset: ${name}\ncounters: ${counters}\nrules: []\n`, { file: `${name}.yaml` });
}

describe("countersOf", () => {
  test("asks once for what two rulesets count alike, whatever they call it", () => {
    const work = { id: "s_1", meta: { kind: "sealed" }, receivedAt: RECEIVED_AT } as const;
    const one = viewOf(rulesetOf(`{ seen: { key: identification.visitor_id, window: 24h } }`), work, EVENT);
    const two = viewOf(
      rulesetOf(
        `{ visits: { key: identification.visitor_id, window: 1d }, hour: { key: identification.visitor_id, window: 1h } }`,
        "other",
      ),
      work,
      EVENT,
    );
    expect(countersOf(one, two)).toHaveLength(2);
    expect(countersOf(one, undefined)).toHaveLength(1);
  });

  test("lets the ruleset that decides say whether the submission counts", () => {
    const work = { id: "s_1", meta: { kind: "sealed" }, receivedAt: RECEIVED_AT } as const;
    const counters = `{ fresh: { key: identification.visitor_id, where: "!checks.stale", window: 1h } }`;
    const strict = (name: string, age: string) =>
      loadRuleset(`ruleset: ${name}\nsettings: { max_event_age: ${age} }\ncounters: ${counters}\nrules: []\n`, {
        file: `${name}.yaml`,
      });
    const [live, candidate] = [
      viewOf(strict("default", "1h"), work, { ...EVENT, timestamp: RECEIVED_AT - 60_000 }),
      viewOf(strict("next", "30s"), work, { ...EVENT, timestamp: RECEIVED_AT - 60_000 }),
    ];
    expect(countersOf(live, candidate).map(({ counts }) => counts)).toEqual([{ on: "submission", now: true }]);
    expect(countersOf(candidate, live).map(({ counts }) => counts)).toEqual([{ on: "submission", now: false }]);
  });
});
