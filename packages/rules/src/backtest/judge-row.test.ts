import { describe, expect, test } from "vitest";
import { loadRuleset } from "../index.ts";
import type { BacktestRow } from "./backtest-row.ts";
import { asksOf } from "./counter-ask.ts";
import { always } from "./choose-ruleset.ts";
import { CounterReplay } from "./counter-replay.ts";
import { createRowJudge, type RowJudgment } from "./judge-row.ts";

const RECEIVED_AT = 1_760_000_000_000;

function aRow(at: number, over: Partial<BacktestRow> = {}): BacktestRow {
  const receivedAt = RECEIVED_AT + at;
  return {
    event: { event_id: `${receivedAt}.event`, timestamp: receivedAt, ip_address: "192.0.2.1" },
    context: { user_id: "anna" },
    receivedAt,
    isArrivalKnown: true,
    kind: "sealed",
    checks: {},
    outcomes: [],
    ...over,
  };
}

function rulesetOf(counters: string, list = "") {
  const rules = "rules: [{ id: often, when: counters.it > 1, action: review }]";
  const lists = "lists: { qa: { type: string, file: lists/qa.txt } }";
  const text = ["ruleset: test", "integrity: { reused: off }", lists, counters, rules].join("\n");
  return loadRuleset(text, { file: "test.yaml", files: new Map([["lists/qa.txt", list]]) });
}

/** What both sides answer on each row. */
function judged(before: ReturnType<typeof rulesetOf>, after: ReturnType<typeof rulesetOf>, ...rows: BacktestRow[]) {
  const judge = createRowJudge(always(before), always(after));
  const replay = new CounterReplay();
  return rows.map((row): RowJudgment => {
    const prepared = judge.prepare(row);
    return judge.judge(prepared, replay.replay([asksOf(prepared)]), 0);
  });
}

function actionsOf(judgments: readonly RowJudgment[]): string[] {
  return judgments.map(({ old: before, new: after }) => `${before.action} ${after.action}`);
}

const BY_USER = "counters: { it: { key: context.user_id, window: 1h } }";

describe("createRowJudge", () => {
  test("asks once for a counter that both sides have, by whatever name", () => {
    const renamed = rulesetOf(
      BY_USER.replace("it:", "other: { key: context.user_id, window: 2h }, it:").replace("other", "z"),
    );
    const { asks } = createRowJudge(always(rulesetOf(BY_USER)), always(renamed)).prepare(aRow(0));
    expect(asks.map(({ asking, windowMs }) => [asking, windowMs])).toEqual([
      ["both", 3_600_000],
      ["new", 7_200_000],
    ]);
  });

  test("judges each side by its own settings, in what fires and in what counts", () => {
    const counting = BY_USER.replace("window", "where: '!checks.stale', window");
    const strict = rulesetOf(`${counting}\nsettings: { max_event_age: 30s }`);
    const old = { event: { event_id: "old", timestamp: RECEIVED_AT - 60_000 }, checks: { stale: false } };
    const judgments = judged(rulesetOf(counting), strict, aRow(0), aRow(1, old), aRow(2));
    // The second is stale by the new side alone, whose counter leaves it out.
    expect(actionsOf(judgments)).toEqual(["allow allow", "review challenge", "review review"]);
    expect(judgments[1]?.new.decision.reasons).toMatchObject([{ rule: "integrity.stale" }]);
  });

  test("counts for each side by its own counters", () => {
    const byAddress = rulesetOf("counters: { it: { key: ip_address, window: 1h } }");
    const ben = { context: { user_id: "ben" } };
    expect(actionsOf(judged(rulesetOf(BY_USER), byAddress, aRow(0), aRow(1, ben), aRow(2)))).toEqual([
      "allow allow",
      "allow review",
      "review review",
    ]);
  });

  test("sees that a list of one side holds what that of the other does not", () => {
    const listed = "counters: { it: { key: ip_address, where: context.user_id in lists.qa, window: 1h } }";
    const listing = judged(rulesetOf(listed, "ben"), rulesetOf(listed, "anna"), aRow(0), aRow(1));
    expect(actionsOf(listing)).toEqual(["allow allow", "allow review"]);
  });

  test.each([
    ["a replay", { checks: { reused: true } }],
    ["a backfilled row", { kind: "backfill" }],
    ["the same event by another door", { event: aRow(0).event }],
  ] as const)("does not count %s", (_, over) => {
    expect(actionsOf(judged(rulesetOf(BY_USER), rulesetOf(BY_USER), aRow(0), aRow(1, over)))[1]).toBe("allow allow");
  });

  test("tells a backfilled row what was counted at its own time", () => {
    const HOUR_MS = 3_600_000;
    const late = (at: number) =>
      aRow(9 * HOUR_MS, { kind: "backfill", event: { ...aRow(0).event, timestamp: RECEIVED_AT + at } });
    const rows = [aRow(0), aRow(1), aRow(9 * HOUR_MS), late(1), late(0), late(9 * HOUR_MS)];
    const actions = actionsOf(judged(rulesetOf(BY_USER), rulesetOf(BY_USER), ...rows));
    expect(actions.slice(3)).toEqual(["review review", "allow allow", "allow allow"]);
  });

  test.each([
    ['outcome == "failed"', { outcome: "failed" }, "review"],
    ['outcome == "failed"', { outcome: "won" }, "allow"],
    ['label == "fraud"', { outcome: "failed", label: "fraud" }, "review"],
    ['outcome != "won"', { outcome: "lost" }, "review"],
  ] as const)("counts by %s the outcome %j: %s", (where, told, action) => {
    const ruleset = rulesetOf(`counters: { it: { on: outcome, key: context.user_id, where: '${where}', window: 1h } }`);
    const outcomes = [{ ...told, occurredAt: RECEIVED_AT + 5 }];
    const rows = [aRow(0, { outcomes }), aRow(1, { outcomes }), aRow(9)];
    expect(actionsOf(judged(ruleset, ruleset, ...rows)).at(-1)).toBe(`${action} ${action}`);
  });
});
