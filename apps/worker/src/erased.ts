import { type PinRequest, type Standing, strippedMeta, type Trace, tracesOf, type Work } from "@assay/ledger";
import type { SourcedEvent } from "./sourced.ts";

/** The count of erasures of work whose tombstones were never read: no count of Redis's is like it. */
export const NOT_LOOKED = "?";

/** What is left of a submission that is about somebody who was erased. */
export function emptied({ id, meta, receivedAt, tries, retries }: Work): Work {
  return { id, meta: strippedMeta(meta), receivedAt, tries, retries };
}

interface ErasedDeps {
  readTombstones(lists: readonly (readonly Trace[])[], signal: AbortSignal): Promise<Standing>;
  unpin(request: PinRequest, eventId: string, signal: AbortSignal): Promise<void>;
}

/** One submission on its way, as far as erasures ask. */
interface Asking {
  readonly work: Work;
  readonly sourced?: SourcedEvent;
  readonly request?: PinRequest;
}

/**
 * Puts `erasedOf` in the place of what was erased, and takes back what an earlier try counted of it. Each of the others
 * remembers how many erasures it was held against. Where nobody was ever erased, nothing is asked.
 */
export async function withoutErased<One extends Asking>(
  deps: ErasedDeps,
  judged: readonly One[],
  erasedOf: (work: Work) => One,
  signal: AbortSignal,
): Promise<readonly One[]> {
  const asking = judged.filter(({ work }) => work.erasures !== undefined && work.meta.erased !== true);
  if (asking.length === 0) return judged;
  const { generation, erased } = await deps.readTombstones(asking.map(tracesOfOne), signal);
  const gone = new Set(asking.filter((_, index) => erased[index] === true));
  for (const { request, sourced } of gone) {
    if (request !== undefined && sourced !== undefined) await deps.unpin(request, sourced.event.event_id, signal);
  }
  return judged.map((one) => {
    if (gone.has(one)) return erasedOf(one.work);
    return asking.includes(one) ? { ...one, work: { ...one.work, erasures: generation } } : one;
  });
}

/** Whether the caller of a lookup names somebody, or an event, that was erased. */
export async function isErasedByName(
  deps: Pick<ErasedDeps, "readTombstones">,
  work: Work,
  signal: AbortSignal,
): Promise<boolean> {
  if (work.erasures === undefined || work.meta.kind !== "lookup") return false;
  const { erased } = await deps.readTombstones([tracesOf(work)], signal);
  return erased[0] === true;
}

function tracesOfOne({ work, sourced }: Asking): Trace[] {
  return tracesOf({ ...work, ...(sourced === undefined ? {} : { event: sourced.event }) });
}
