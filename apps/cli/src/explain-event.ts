import type { Action, Reason } from "@assay/protocol";
import type { Decision, RuleExplanation, Ruleset, RulesetFolder } from "@assay/rules";
import { readEventInput, type EventOptions } from "./event-input.ts";
import { effectOf } from "./list-rulesets.ts";
import type { Paint } from "./paint.ts";
import { folderOf, readFolder } from "./read-folder.ts";
import { CommandError, EXIT, type Report, type World } from "./report.ts";
import { showClause, showValues } from "./show-clause.ts";

export interface ExplainEventOptions extends EventOptions {
  readonly rulesets?: string;
  readonly ruleset?: string;
}

/** `assay rules explain <event.json>`: judges an event here, and shows how every rule comes out, clause by clause. */
export async function explainEvent(path: string, options: ExplainEventOptions, world: World): Promise<Report> {
  const input = await readEventInput(path, options);
  const folder = await readFolder(folderOf(options, world), world);
  const ruleset = rulesetOf(folder, options.ruleset, input.context.flow);
  requireCounters(ruleset, input);
  const decision = ruleset.decide(input);
  const rules = ruleset.explain(input);
  const { name, digest, engine } = ruleset;
  return {
    exitCode: EXIT.fine,
    json: {
      ruleset: { name, digest, engine },
      event_id: input.event.event_id,
      decision: decisionJson(decision),
      rules: rules.map(ruleJson),
    },
    text: [
      [
        `${world.paint("bold", name)} ${digest} ${world.paint("dim", ruleset.origin)}`,
        `${input.event.event_id}: ${showOutcome(decision.action, decision.score, decision.wouldBe, world.paint)}`,
        ...(decision.invalidFacts.length === 0
          ? []
          : [world.paint("yellow", `Facts of another type than declared: ${decision.invalidFacts.join(", ")}`)]),
      ].join("\n"),
      showIntegrity(decision, ruleset, world.paint),
      showRules(rules, world.paint),
    ]
      .filter(Boolean)
      .join("\n\n"),
  };
}

/** `block, score 40`. */
export function showOutcome(action: Action, score: number, wouldBe: Action | undefined, paint: Paint): string {
  const observed = wouldBe === undefined ? "" : ` (observed only; enforced it would be ${wouldBe})`;
  return `${paint("bold", action)}, score ${score}${observed}`;
}

function rulesetOf(folder: RulesetFolder, name: string | undefined, flow: string | undefined): Ruleset {
  if (name === undefined) return folder.forFlow(flow);
  const ruleset = folder.named(name);
  if (ruleset !== undefined) return ruleset;
  const known = folder.all.map((one) => one.name).join(", ");
  throw new CommandError(EXIT.usage, `There is no ruleset ${name}. There are: ${known}.`);
}

function requireCounters(ruleset: Ruleset, input: Parameters<Ruleset["counting"]>[0]): void {
  const known = ruleset.counting(input).map(({ name }) => name);
  const unknown = Object.keys(input.counters ?? {}).filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const there = known.length === 0 ? "There is none." : `There are: ${known.join(", ")}.`;
  throw new CommandError(
    EXIT.usage,
    `${ruleset.name} has no counter ${unknown.join(", ")} whose key this event has. ${there}`,
  );
}

function decisionJson({ shadowUnknown, wouldBe, invalidFacts, ...decision }: Decision) {
  return { ...decision, shadow_unknown: shadowUnknown, would_be: wouldBe, invalid_facts: invalidFacts };
}

function ruleJson({ rolledOut, ...rule }: RuleExplanation) {
  return { ...rule, rolled_out: rolledOut };
}

function showIntegrity({ reasons }: Decision, { ruleIds }: Ruleset, paint: Paint): string {
  const entries = reasons.filter(({ rule }) => !ruleIds.includes(rule));
  return entries.map((entry) => showReason("hit", "red", entry, paint)).join("\n");
}

/** A reason as a verdict keeps it: what it did, and the values that decided. */
export function showReason(label: string, style: "red" | "yellow", reason: Reason, paint: Paint): string {
  const { rule, message, evidence } = reason;
  const head = [paint(style, label.padEnd(7)), paint("bold", rule), effectOf(reason), message ?? ""];
  const values = showValues(evidence);
  return [head.filter(Boolean).join("  "), ...(values === "" ? [] : [`           ${paint("dim", values)}`])].join("\n");
}

const ORDER = { hit: 0, unknown: 1, missed: 2, off: 3 } as const;
const STYLE = { hit: "red", unknown: "yellow", missed: "dim", off: "dim" } as const;

function showRules(rules: readonly RuleExplanation[], paint: Paint): string {
  return rules
    .toSorted((a, b) => ORDER[a.result] - ORDER[b.result])
    .map((rule) => showRule(rule, paint))
    .join("\n");
}

function showRule(explanation: RuleExplanation, paint: Paint): string {
  const { rule, mode, rolledOut, result, message, missing, when, except } = explanation;
  const notes = [
    mode === "shadow" ? "in shadow" : "",
    rolledOut === false ? "not rolled out to this visitor" : "",
    result === "unknown" ? `missing: ${missing.join(", ")}` : "",
  ];
  const head = [
    paint(STYLE[result], result.padEnd(7)),
    result === "off" ? rule : paint("bold", rule),
    effectOf(explanation),
    ...notes.map((note) => (note === "" ? "" : paint("yellow", note))),
    message ?? "",
  ];
  return [
    head.filter(Boolean).join("  "),
    ...showClause(when, paint).map((line) => `  ${line}`),
    ...(except === undefined ? [] : ["  except", ...showClause(except, paint).map((line) => `  ${line}`)]),
  ].join("\n");
}
