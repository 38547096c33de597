import type { Difference } from "@assay/rules/verdict";
import type { Paint } from "./paint.ts";
import type { Replay } from "./replay-verdict.ts";

const MAX_PATHS = 10;
const MAX_VALUE = 120;

/** What became of one verdict, for people: a line, and the first places that differ. */
export function showReplay(replay: Replay, paint: Paint): string[] {
  const { id, ruleset } = replay;
  const by = `${ruleset.name} ${ruleset.digest}, ${ruleset.engine}`;
  switch (replay.status) {
    case "identical":
      return [`${id}  ${paint("green", "identical")}  ${by}`];
    case "differs":
      return [`${id}  ${paint("red", "differs")}  ${by}`, ...showDifferences(replay.differences)];
    case "other_engine": {
      const told = replay.differences.length === 0 ? "says the same" : "says otherwise";
      const line = `${id}  ${paint("yellow", "other engine")}  ${by}; this version is ${replay.engine}, and ${told}`;
      return [line, ...showDifferences(replay.differences)];
    }
    case "gone":
      return [`${id}  ${paint("yellow", "cannot be replayed")}  ${replay.why}`];
  }
}

function showDifferences(differences: readonly Difference[]): string[] {
  const lines = differences
    .slice(0, MAX_PATHS)
    .map(({ path, was, is }) => `  ${path}  was ${showValue(was)}, is ${showValue(is)}`);
  const left = differences.length - MAX_PATHS;
  return left > 0 ? [...lines, `  and ${left} more`] : lines;
}

function showValue(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}
