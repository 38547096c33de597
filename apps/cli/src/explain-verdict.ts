import { createAssayClient } from "@assay/client";
import { ProblemError, type Verdict } from "@assay/protocol";
import { RulesetError, type Ruleset } from "@assay/rules";
import { showOutcome, showReason } from "./explain-event.ts";
import { placeOf } from "./ingress-place.ts";
import type { Paint } from "./paint.ts";
import { folderOf, readFolder } from "./read-folder.ts";
import { CommandError, EXIT, type Report, type World } from "./report.ts";

export interface ExplainVerdictOptions {
  readonly rulesets?: string;
  readonly url?: string;
}

/** `assay verdicts explain`, and `assay rules explain` for an id: shows what a verdict kept of its rules. */
export async function explainVerdict(id: string, options: ExplainVerdictOptions, world: World): Promise<Report> {
  const { paint } = world;
  const verdict = await fetchVerdict(id, options, world);
  const ruleset = await localRuleset(verdict, options, world);
  const missed = ruleset === undefined ? undefined : missedRules(verdict, ruleset);
  const { name, digest } = verdict.ruleset;
  const sections = [
    [
      `${paint("bold", name)} ${digest}`,
      `${id}: ${showOutcome(verdict.action, verdict.score, verdict.would_be, paint)}`,
      ...(verdict.undecided === undefined ? [] : [paint("yellow", `undecided: ${verdict.undecided.code}`)]),
      ...(verdict.degraded === undefined ? [] : [paint("yellow", `degraded: ${verdict.degraded.join(", ")}`)]),
    ],
    verdict.reasons.map((reason) => showReason("hit", "red", reason, paint)),
    verdict.shadow.map((reason) => showReason("shadow", "yellow", reason, paint)),
    verdict.unknown.map(
      ({ rule, missing }) => `${paint("yellow", "unknown")}  ${rule}  missing: ${missing.join(", ")}`,
    ),
    verdict.candidate === undefined ? [] : [showCandidate(verdict.candidate, paint)],
    verdict.undecided === undefined ? [showMissed(missed, verdict)] : [],
  ];
  return {
    exitCode: EXIT.fine,
    json: { verdict, ...(missed === undefined ? {} : { missed }) },
    text: sections
      .filter((lines) => lines.length > 0)
      .map((lines) => lines.join("\n"))
      .join("\n\n"),
  };
}

/** The verdict of a submission, by the ingress. Throws a CommandError without one. */
export async function fetchVerdict(id: string, options: ExplainVerdictOptions, world: World): Promise<Verdict> {
  const { url, key } = placeOf(options.url, world, "To explain a verdict");
  const verdict = await ask(url, key, id);
  if (verdict === "pending") throw new CommandError(EXIT.unavailable, `${id} is not decided yet. Ask again later.`);
  if (verdict !== undefined) return verdict;
  throw new CommandError(EXIT.unavailable, `${url} does not know ${id}, or no longer.`);
}

async function ask(url: string, key: string, id: string): Promise<Verdict | "pending" | undefined> {
  try {
    return await createAssayClient({ url, key }).getVerdict(id);
  } catch (error) {
    if (error instanceof TypeError) throw new CommandError(EXIT.usage, error.message, { cause: error });
    if (!(error instanceof ProblemError)) throw error;
    throw new CommandError(EXIT.unavailable, `${url}: ${error.message}`, { cause: error });
  }
}

/** The ruleset of the folder here, when it is the one that decided. */
async function localRuleset(
  { ruleset: { name, digest } }: Verdict,
  options: ExplainVerdictOptions,
  world: World,
): Promise<Ruleset | undefined> {
  try {
    const ruleset = (await readFolder(folderOf(options, world), world)).named(name);
    return ruleset?.digest === digest ? ruleset : undefined;
  } catch (error) {
    // The verdict stands by itself.
    if (error instanceof CommandError || error instanceof RulesetError) return undefined;
    throw error;
  }
}

// Of a rule that is rolled out in part, a verdict may keep nothing though it was unknown.
function missedRules({ reasons, shadow, unknown }: Verdict, { rules }: Ruleset): string[] {
  const kept = new Set([...reasons, ...shadow, ...unknown].map(({ rule }) => rule));
  return rules
    .filter(({ id, mode, rolloutPercent }) => mode === "live" && rolloutPercent === undefined && !kept.has(id))
    .map(({ id }) => id);
}

function showCandidate({ ruleset, action, score, rules }: NonNullable<Verdict["candidate"]>, paint: Paint): string {
  const hits = rules.length === 0 ? "no rule hit" : `hit ${rules.join(", ")}`;
  return `candidate ${paint("bold", ruleset.name)} ${ruleset.digest}: ${showOutcome(action, score, undefined, paint)}; ${hits}`;
}

function showMissed(missed: readonly string[] | undefined, { ruleset, coverage }: Verdict): string {
  if (missed === undefined) {
    return (
      `${coverage.judged} of ${coverage.rules} rules could be judged. A verdict keeps no word of rules that missed, ` +
      `and the folder here does not hold ${ruleset.name} ${ruleset.digest}, which could name them.`
    );
  }
  const names = missed.length === 0 ? "No rule missed." : `missed   ${missed.join(", ")}`;
  return `${names}\nA verdict does not keep the values of rules that missed. To see them: assay rules explain <event.json>`;
}
