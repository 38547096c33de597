import {
  type Inputs,
  type Loaded,
  type PinRequest,
  type Publication,
  type Published,
  type Standing,
  type Trace,
  type Work,
} from "@assay/ledger";
import type { UndecidedCode } from "@assay/protocol";
import type { CounterUse, Decision, Ruleset, RulesetFolder } from "@assay/rules";
import { type Answers, countersOf, onlyReading, see, type View, viewOf, withClaim } from "@assay/rules/verdict";
import { emptied, isErasedByName, NOT_LOOKED, withoutErased } from "./erased.ts";
import { LetGo } from "./patience.ts";
import { pinRequestOf } from "./pin-request.ts";
import { judgmentOf } from "./judgment-of.ts";
import type { Judgment, Report } from "./report.ts";
import type { Rulesets } from "./rulesets.ts";
import type { Source, Sourced, SourcedEvent, Wait } from "./sourced.ts";
import { decideTest, sourceTest, type Tested } from "./test-event.ts";

/** What the story needs of the world. Each script waits for Redis to answer, and throws LetGo when the signal aborts. */
export interface DecidingDeps {
  load(ids: readonly string[], token: string, signal: AbortSignal): Promise<readonly Loaded[]>;
  readonly source: Source;
  /** Whether any of the traces of each was erased. Asked only where somebody ever was. */
  readTombstones(lists: readonly (readonly Trace[])[], signal: AbortSignal): Promise<Standing>;
  pin(requests: readonly PinRequest[], signal: AbortSignal): Promise<readonly Inputs[]>;
  /** Takes back what an event counted that was erased meanwhile. */
  unpin(request: PinRequest, eventId: string, signal: AbortSignal): Promise<void>;
  /** Puts the rulesets on their way into the archive, before the first verdict by them. */
  tellRulesets(folder: RulesetFolder, signal: AbortSignal): Promise<void>;
  publish(publications: readonly Publication[], signal: AbortSignal): Promise<readonly Published[]>;
  readonly rulesets: Rulesets;
  /** Keys the hashes in claims and counters. */
  readonly hashKey: string;
  /** Whether verdicts are published with the event that they were made from. */
  readonly isArchived: boolean;
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
  /** The vendor must be asked, which the lane of lookups alone does. */
  | { readonly status: "to_lookups"; readonly id: string }
  | (Wait & { readonly id: string });

/** One try. */
export interface Try {
  /** Names it. */
  readonly token: string;
  /** Whether the vendor may be asked here. */
  readonly mayAsk: boolean;
  readonly signal: AbortSignal;
}

/** One submission on its way: what is known of it so far. */
type Judged = Judgeable | Undecidable | Decided;

interface Judgeable {
  readonly work: Work;
  readonly sourced: SourcedEvent;
  /** The ruleset that decides. */
  readonly live: View;
  /** The one that is judged beside it. */
  readonly candidate?: View;
  /** The counters of both. */
  readonly asked: readonly CounterUse[];
  /** Absent when it asks nothing. */
  readonly request?: PinRequest;
}

interface Undecidable {
  readonly work: Work;
  readonly sourced?: SourcedEvent;
  readonly ruleset: Ruleset;
  readonly undecided: UndecidedCode;
  readonly degraded?: readonly string[];
}

/** A test event: it has its decision, and asks nothing. */
interface Decided {
  readonly work: Work;
  readonly ruleset: Ruleset;
  readonly decision: Decision;
}

/**
 * The whole story of a doorbell: load, source, checks, inputs, ruleset, publish.
 * A fault of one submission ends it undecided; only LetGo and errors of our own scripts are thrown.
 */
export async function decideSubmissions(
  deps: DecidingDeps,
  ids: readonly string[],
  { token, mayAsk, signal }: Try,
): Promise<Outcome[]> {
  const rulesets = deps.rulesets.current();
  const outcomes: Outcome[] = [];
  const judged: Judged[] = [];
  const ready: Work[] = [];
  for (const loaded of await deps.load(ids, token, signal)) {
    if ("work" in loaded && loaded.work.meta.erased === true) {
      judged.push(undecidable(rulesets, loaded.work, "event_erased"));
      continue;
    }
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
  const sourced = await Promise.all(
    ready.map(async (work) => ({ work, found: await safely(deps, work, signal, mayAsk) })),
  );
  for (const { work, found } of sourced) {
    if (found.status === "wait" || found.status === "to_lookups") outcomes.push({ ...found, id: work.id });
    else judged.push(judge(deps, rulesets, work, found));
  }
  if (deps.isArchived && judged.length > 0) await deps.tellRulesets(rulesets, signal);
  for (let open: readonly Judged[] = judged; open.length > 0;) open = await conclude(deps, rulesets, open, signal);
  return [...outcomes, ...judged.map(({ work }) => ({ status: "decided", id: work.id }) as const)];
}

/** Pins, decides and publishes. Returns those during which an erasure began: they are looked at once more. */
async function conclude(
  deps: DecidingDeps,
  rulesets: RulesetFolder,
  open: readonly Judged[],
  signal: AbortSignal,
): Promise<readonly Judged[]> {
  const erasedOf = (work: Work) => undecidable(rulesets, emptied(work), "event_erased");
  const judged = await withoutErased(deps, open, erasedOf, signal);
  const answers = await pinAll(deps, judged, signal);
  const judgments = judged.map((one) => decide(deps, one, answers.get(one)));
  const published = await deps.publish(
    judgments.map(({ publication, event }) =>
      deps.isArchived && event !== undefined ? { ...publication, event: JSON.stringify(event) } : publication,
    ),
    signal,
  );
  for (const [index, one] of published.entries()) deps.report.published(one, judgments[index]);
  return judged
    .filter((_, index) => published[index]?.status === "erasing")
    .map((one) => ({ ...one, work: { ...one.work, erasures: NOT_LOOKED } }));
}

/** The views of the ruleset that decides and of its candidate, and what they ask of shared memory. */
function judge(
  deps: DecidingDeps,
  rulesets: RulesetFolder,
  work: Work,
  sourced: Extract<Sourced | Tested, { status: "event" | "undecided" | "tested" }>,
): Judged {
  if (sourced.status === "undecided") {
    const { code, degraded = [] } = sourced;
    return { ...undecidable(rulesets, work, code), degraded };
  }
  const ruleset = rulesetOf(rulesets, work);
  if (ruleset === undefined) {
    const unknown = undecidable(rulesets, work, "ruleset_not_found");
    return sourced.status === "tested" ? unknown : { ...unknown, sourced };
  }
  if (sourced.status === "tested") return { work, ruleset, decision: decideTest(work, sourced.action) };
  const { event } = sourced;
  try {
    const live = viewOf(ruleset, work, event);
    const beside = rulesets.candidateOf(ruleset);
    const candidate =
      beside && unharmed(deps, () => onlyReading(viewOf(beside, work, event), rulesets.countedWithout(beside)));
    const asked = countersOf(live, candidate);
    const request = pinRequestOf({ work, event, live, asked, hashKey: deps.hashKey });
    return {
      work,
      sourced,
      live,
      asked,
      ...(candidate === undefined ? {} : { candidate }),
      ...(request === undefined ? {} : { request }),
    };
  } catch (error) {
    deps.report.fault(error);
    return undecidable(rulesets, work, "internal_error");
  }
}

async function pinAll(
  deps: DecidingDeps,
  judged: readonly Judged[],
  signal: AbortSignal,
): Promise<Map<Judged, Answers>> {
  const asking = judged.flatMap((one) =>
    "request" in one && one.request !== undefined ? [{ one, request: one.request, asked: one.asked }] : [],
  );
  if (asking.length === 0) return new Map();
  const pinned = await deps.pin(
    asking.map(({ request }) => request),
    signal,
  );
  return new Map(
    asking.flatMap(({ one, asked }, index) => {
      const inputs = pinned[index];
      return inputs === undefined ? [] : [[one, { inputs, asked }]];
    }),
  );
}

/** Views and answers → decisions → verdict. */
function decide(deps: DecidingDeps, judged: Judged, answers: Answers | undefined): Judgment {
  const decidedAt = deps.now();
  if ("decision" in judged) return judgmentOf({ ...judged, checks: {}, decidedAt }, answers);
  if ("undecided" in judged) {
    const decision = judged.ruleset.undecided(judged.undecided);
    return judgmentOf({ ...judged, decision, checks: {}, decidedAt }, answers);
  }
  const { work, sourced, live, candidate } = judged;
  const { event } = sourced;
  const seen = unharmed(deps, () => see(live, work, event, answers));
  if (seen === undefined) {
    const { ruleset } = live;
    const undecided = "internal_error";
    const decision = ruleset.undecided(undecided);
    const checks = withClaim(live.checks, answers?.inputs);
    return judgmentOf({ work, sourced, ruleset, checks, undecided, decision, decidedAt }, answers);
  }
  const beside = candidate && unharmed(deps, () => see(candidate, work, event, answers));
  return judgmentOf(
    { work, sourced, ...seen, decidedAt, ...(beside === undefined ? {} : { candidate: beside }) },
    answers,
  );
}

/** The ruleset that the submission names, else that of its flow; undefined when the name is not known. */
function rulesetOf(rulesets: RulesetFolder, { meta: { ruleset: name, context } }: Work): Ruleset | undefined {
  return name === undefined ? rulesets.forFlow(context?.flow) : rulesets.named(name);
}

function undecidable(rulesets: RulesetFolder, work: Work, undecided: UndecidedCode): Undecidable {
  return { work, ruleset: rulesetOf(rulesets, work) ?? rulesets.default, undecided };
}

/** What `act` returns; undefined when it throws, which is a fault of ours. */
function unharmed<Result>(deps: DecidingDeps, act: () => Result): Result | undefined {
  try {
    return act();
  } catch (error) {
    deps.report.fault(error);
    return undefined;
  }
}

async function safely(deps: DecidingDeps, work: Work, signal: AbortSignal, mayAsk: boolean): Promise<Sourced | Tested> {
  if (work.meta.test === true) return sourceTest(work, deps.now());
  try {
    // Whom it is about is known before the vendor is asked, and it may be nobody by now.
    if (await isErasedByName(deps, work, signal)) return { status: "undecided", code: "event_erased" };
    return await deps.source(work, signal, { mayAsk });
  } catch (error) {
    if (error instanceof LetGo) throw error;
    // A lookup that is broken off says nothing about its event.
    if (signal.aborted) throw new LetGo("Let go while its event was fetched.", { cause: error });
    deps.report.fault(error);
    return { status: "undecided", code: "internal_error" };
  }
}
