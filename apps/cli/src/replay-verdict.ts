import type { ArchivedVerdict, ArchiveReader } from "@assay/archive";
import { readMadeFrom, readMeta } from "@assay/ledger";
import { type Event, isRecord, type Verdict } from "@assay/protocol";
import { type Difference, differencesOf, judgeAgain } from "@assay/rules/verdict";
import type { createArchivedRulesets } from "./archived-rulesets.ts";

/** What became of a verdict that was made once more. */
export type Replay = { readonly id: string; readonly ruleset: Verdict["ruleset"] } & (
  | { readonly status: "identical" }
  | { readonly status: "differs"; readonly differences: readonly Difference[] }
  /** By rules that mean something else now: what is the same, and what differs, proves nothing. */
  | { readonly status: "other_engine"; readonly engine: string; readonly differences: readonly Difference[] }
  /** It cannot be made, because something is not kept. */
  | { readonly status: "gone"; readonly why: string }
);

/** What makes verdicts once more for one tenant. */
export interface ReplayDeps {
  readonly archive: Pick<ArchiveReader, "madeFrom">;
  readonly rulesets: ReturnType<typeof createArchivedRulesets>;
  readonly tenant: string;
}

/** What makes up a verdict, as far as the archive has it. */
type Kept =
  | { readonly ok: true; readonly verdict: Parameters<typeof judgeAgain>[0] }
  | { readonly ok: false; readonly why: string };

/** Makes an archived verdict once more, from what it was made from, and compares all of it but `decided_at`. */
export async function replayVerdict(archived: ArchivedVerdict, deps: ReplayDeps): Promise<Replay> {
  const was: Verdict = JSON.parse(archived.verdict);
  const head = { id: archived.id, ruleset: was.ruleset };
  const kept = await gather(archived, was, deps);
  if (!kept.ok) return { ...head, status: "gone", why: kept.why };
  const text = JSON.stringify(judgeAgain(kept.verdict));
  if (text === archived.verdict) return { ...head, status: "identical" };
  const is: Verdict = JSON.parse(text);
  const differences = differencesOf(was, is);
  const { engine } = kept.verdict.ruleset;
  if (engine === was.ruleset.engine) {
    const order = { path: "(the order of its fields)", was: undefined, is: undefined };
    return { ...head, status: "differs", differences: differences.length === 0 ? [order] : differences };
  }
  // Another engine is another digest, too.
  const told = differences.filter(({ path }) => !/^(?:candidate\.)?ruleset\.(?:digest|engine)$/.test(path));
  return { ...head, status: "other_engine", engine, differences: told };
}

async function gather({ id, receivedAt, pinned }: ArchivedVerdict, verdict: Verdict, deps: ReplayDeps): Promise<Kept> {
  const madeFrom = readMadeFrom(pinned);
  if (madeFrom === undefined) return gone("what it was made from cannot be read by this version");
  const { inputs, source } = madeFrom;
  const ruleset = await deps.rulesets(madeFrom.ruleset);
  if (!ruleset.ok) return ruleset;
  const candidate = madeFrom.candidate === undefined ? undefined : await deps.rulesets(madeFrom.candidate);
  if (candidate?.ok === false) return candidate;
  const handedIn = await deps.archive.madeFrom({ tenant: deps.tenant, id, receivedAt });
  if (handedIn === undefined) return gone("its submission and event are no longer in the archive");
  const meta = readMeta(handedIn.submission);
  if (meta === undefined) return gone("its submission cannot be read by this version");
  const event = readEvent(handedIn.event);
  if (source !== undefined && event === undefined) return gone("its event is not in the archive");
  return {
    ok: true,
    verdict: {
      verdict,
      meta,
      ruleset: ruleset.ruleset,
      ...(candidate === undefined ? {} : { candidate: candidate.ruleset }),
      ...(source === undefined || event === undefined ? {} : { brought: { event, source } }),
      ...(inputs === undefined ? {} : { inputs }),
    },
  };
}

function gone(why: string): Kept {
  return { ok: false, why };
}

function readEvent(json: string | undefined): Event | undefined {
  const event: unknown = json === undefined ? undefined : JSON.parse(json);
  return isEvent(event) ? event : undefined;
}

// Written by a worker, from an event that was read.
function isEvent(value: unknown): value is Event {
  return isRecord(value) && typeof value["event_id"] === "string" && typeof value["timestamp"] === "number";
}
