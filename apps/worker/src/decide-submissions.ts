import { createHash } from "node:crypto";
import type { Inputs, Loaded, Publication, Published, Use, Work } from "@assay/ledger";
import { type Checks, INPUT_FAULT_CODES, laneOf, type UndecidedCode } from "@assay/protocol";
import type { Decision, Ruleset, RulesetFolder } from "@assay/rules";
import { isPresented, judgeChecks } from "./checks.ts";
import { LetGo } from "./patience.ts";
import type { Report } from "./report.ts";
import type { Rulesets } from "./rulesets.ts";
import type { Source, Sourced } from "./source.ts";
import { useOfEvent } from "./use-of-event.ts";
import { type SourcedEvent, verdictDigest, verdictOf } from "./verdict-of.ts";

/** What the story needs of the world. Each script waits for Redis to answer, and throws LetGo when the signal aborts. */
export interface DecidingDeps {
  load(ids: readonly string[], token: string, signal: AbortSignal): Promise<readonly Loaded[]>;
  readonly source: Source;
  pin(uses: readonly Use[], signal: AbortSignal): Promise<readonly Inputs[]>;
  publish(publications: readonly Publication[], signal: AbortSignal): Promise<readonly Published[]>;
  readonly rulesets: Rulesets;
  /** Keys the hashes in claims. */
  readonly hashKey: string;
  readonly report: Report;
  /** Unix ms. */
  readonly now: () => number;
}

/** What became of one submission. */
export type Outcome =
  | { readonly status: "decided"; readonly id: string }
  /** There is no submission of this id. */
  | { readonly status: "orphan"; readonly id: string }
  /** It was tried before and that try never ended. */
  | { readonly status: "suspect"; readonly id: string }
  | ({ readonly id: string } & Extract<Sourced, { status: "wait" }>);

/** One submission on its way: what is known of it so far. */
interface Judged {
  readonly work: Work;
  readonly ruleset: Ruleset;
  readonly checks: Checks;
  readonly sourced?: SourcedEvent;
  readonly undecided?: UndecidedCode;
  readonly use?: Use;
}

/**
 * The whole story of a doorbell: load, source, checks, inputs, ruleset, publish. `token` names this try.
 * A fault of one submission ends it undecided; only LetGo and errors of our own scripts are thrown.
 */
export async function decideSubmissions(
  deps: DecidingDeps,
  ids: readonly string[],
  token: string,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const rulesets = deps.rulesets.current();
  const outcomes: Outcome[] = [];
  const judged: Judged[] = [];
  const ready: Work[] = [];
  for (const loaded of await deps.load(ids, token, signal)) {
    switch (loaded.state) {
      case "missing":
        outcomes.push({ status: "orphan", id: loaded.id });
        break;
      case "decided":
      case "suspect":
        outcomes.push({ status: loaded.state, id: loaded.id });
        break;
      case "crashed":
        judged.push(undecidable(rulesets, loaded.work, "worker_crashed"));
        break;
      case "ready":
        ready.push(loaded.work);
    }
  }
  const sourced = await Promise.all(ready.map(async (work) => ({ work, ...(await safely(deps, work, signal)) })));
  for (const { work, ...found } of sourced) {
    if (found.status === "wait") outcomes.push({ ...found, id: work.id });
    else judged.push(judge(deps, rulesets, work, found));
  }
  const inputs = await pinAll(deps, judged, signal);
  const publications = judged.map((one) => decide(deps, one, inputs.get(one.work.id)));
  if (publications.length > 0) {
    const published = await deps.publish(publications, signal);
    for (const [index, one] of published.entries()) deps.report.published(one, publications[index]);
  }
  return [...outcomes, ...judged.map(({ work }) => ({ status: "decided", id: work.id }) as const)];
}

/** Event and context → checks, and the use to claim where somebody presented the event. */
function judge(
  deps: DecidingDeps,
  rulesets: RulesetFolder,
  work: Work,
  sourced: Exclude<Sourced, { status: "wait" }>,
): Judged {
  if (sourced.status === "undecided") return undecidable(rulesets, work, sourced.code);
  const { meta, receivedAt } = work;
  const ruleset = meta.ruleset === undefined ? rulesets.forFlow(meta.context?.flow) : rulesets.named(meta.ruleset);
  if (ruleset === undefined) return { ...undecidable(rulesets, work, "ruleset_not_found"), sourced };
  try {
    const context = meta.context ?? {};
    const checks = judgeChecks({
      kind: meta.kind,
      event: sourced.event,
      context,
      receivedAt,
      settings: ruleset.settings,
      maxEventAgeMs: ruleset.maxEventAgeMs(context.flow),
      ...(meta.event_id === undefined ? {} : { claimedEventId: meta.event_id }),
    });
    const base = { work, ruleset, checks, sourced };
    if (!isPresented(meta.kind)) return base;
    const use = useOfEvent({ id: work.id, event: sourced.event, context, checks, ruleset, hashKey: deps.hashKey });
    return { ...base, use };
  } catch (error) {
    deps.report.fault(error);
    return undecidable(rulesets, work, "internal_error");
  }
}

async function pinAll(
  deps: DecidingDeps,
  judged: readonly Judged[],
  signal: AbortSignal,
): Promise<Map<string, Inputs>> {
  const uses = judged.flatMap(({ use }) => (use === undefined ? [] : [use]));
  if (uses.length === 0) return new Map();
  const inputs = await deps.pin(uses, signal);
  return new Map(uses.flatMap(({ id }, index) => (inputs[index] === undefined ? [] : [[id, inputs[index]]])));
}

/** Checks and inputs → decision → verdict. */
function decide(deps: DecidingDeps, judged: Judged, inputs: Inputs | undefined): Publication {
  const { work, ruleset, sourced } = judged;
  const checks: Checks =
    inputs === undefined
      ? judged.checks
      : {
          ...judged.checks,
          reused: inputs.reused,
          reused_elsewhere: inputs.reusedElsewhere,
          use_count: inputs.useCount,
        };
  let undecided = judged.undecided;
  let decision: Decision | undefined;
  if (undecided === undefined && sourced !== undefined) {
    try {
      const { context = {}, kind } = work.meta;
      decision = ruleset.decide({ event: sourced.event, checks, context, receivedAt: work.receivedAt, kind });
    } catch (error) {
      deps.report.fault(error);
    }
  }
  if (decision === undefined) {
    undecided ??= "internal_error";
    decision = ruleset.undecided(undecided);
  }
  const verdict = verdictOf({
    work,
    ruleset,
    decision,
    checks,
    decidedAt: deps.now(),
    ...(sourced === undefined ? {} : { sourced }),
    ...(undecided === undefined ? {} : { undecided }),
  });
  deps.report.decision(decision, verdict);
  return {
    id: work.id,
    lane: laneOf(work.meta.kind),
    verdict,
    digest: verdictDigest(verdict),
    pinned: [inputs?.pinned ?? "", ruleset.digest, sourced === undefined ? "" : sourceOf(sourced)].join("|"),
    deadLetter: undecided !== undefined && INPUT_FAULT_CODES.has(undecided),
  };
}

/** What an event hangs on besides its submission: a lookup may answer otherwise the next time. */
function sourceOf({ event, source }: SourcedEvent): string {
  const mayDiffer = source === "lookup" || source === "stored";
  return mayDiffer
    ? `${source}:${createHash("sha256").update(JSON.stringify(event)).digest("base64url").slice(0, 16)}`
    : source;
}

function undecidable(rulesets: RulesetFolder, work: Work, code: UndecidedCode): Judged {
  const { ruleset: name, context } = work.meta;
  const named = name === undefined ? rulesets.forFlow(context?.flow) : rulesets.named(name);
  return { work, ruleset: named ?? rulesets.default, checks: {}, undecided: code };
}

async function safely(deps: DecidingDeps, work: Work, signal: AbortSignal): Promise<Sourced> {
  try {
    return await deps.source(work, signal);
  } catch (error) {
    if (error instanceof LetGo) throw error;
    // A lookup that is broken off says nothing about its event.
    if (signal.aborted) throw new LetGo("Let go while its event was fetched.", { cause: error });
    deps.report.fault(error);
    return { status: "undecided", code: "internal_error" };
  }
}
