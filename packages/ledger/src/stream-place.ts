/** A place in a stream: behind one entry. */
export interface StreamPlace {
  /** The entry's id; `0-0` is before the first. */
  readonly id: string;
  /** How many entries were ever added up to it, where that is known: it tells what was trimmed since. */
  readonly ordinal?: number;
}

/** What a stream holds, and has held. */
export interface StreamEdge {
  /** Oldest entry that is left; absent where there is none. */
  readonly firstId?: string;
  /** The latest that was ever added. */
  readonly lastId: string;
  /** Entries ever added. */
  readonly added: number;
  /** Entries that are left. */
  readonly length: number;
  /** Whether entries were taken out, as an erasure does: it cannot be told how many of what is gone was unread. */
  readonly hasHoles: boolean;
}

/** Entries that were removed before they were read. */
export interface Gap {
  /** How many; absent where that cannot be told. */
  readonly lost?: number;
  /** Unix ms: they were added after this moment, */
  readonly from: number;
  /** and before this one. */
  readonly to: number;
  /** They lay behind this entry of the stream, there or not, */
  readonly after: string;
  /** and before this one. */
  readonly before: string;
}

/** Before whatever a stream still holds. */
export const BEGINNING: StreamPlace = { id: "0-0" };

const LAST_SEQ = 18_446_744_073_709_551_615n;

/** Below 0 when `a` was added before `b`. */
export function compareStreamIds(a: string, b: string): number {
  const [aMs, aSeq] = partsOf(a);
  const [bMs, bSeq] = partsOf(b);
  if (aMs !== bMs) return aMs - bMs;
  return aSeq === bSeq ? 0 : aSeq < bSeq ? -1 : 1;
}

/** The least id that an entry behind this one could have. */
export function idBehind(id: string): string {
  const [ms, seq] = partsOf(id);
  return seq >= LAST_SEQ ? `${ms + 1}-0` : `${ms}-${seq + 1n}`;
}

/** The greatest id that an entry before this one could have. */
export function idBefore(id: string): string {
  const [ms, seq] = partsOf(id);
  return seq > 0n ? `${ms}-${seq - 1n}` : `${Math.max(ms - 1, 0)}-${LAST_SEQ}`;
}

/** Unix ms at which an entry was added. */
export function streamTimeOf(id: string): number {
  return partsOf(id)[0];
}

/** What lies between a place and what is left, and the place with its ordinal of this moment where it can be told. */
export function settlePlace(place: StreamPlace, edge: StreamEdge): { readonly place: StreamPlace; readonly gap?: Gap } {
  const { id, ordinal } = place;
  const removed = edge.added - edge.length;
  const oldest = edge.firstId ?? edge.lastId;
  const isBehind = compareStreamIds(id, oldest) < 0;
  const unknown: Gap = {
    from: streamTimeOf(id),
    to: streamTimeOf(oldest),
    after: id,
    before: edge.firstId ?? idBehind(edge.lastId),
  };
  if (ordinal === undefined && id === BEGINNING.id) return { place: { id, ordinal: removed } };
  if (ordinal === undefined || edge.hasHoles) {
    // All up to this place is gone: where that is all that is gone, nothing was missed.
    return isBehind && ordinal !== removed ? { place: { id, ordinal: removed }, gap: unknown } : { place };
  }
  // Fewer were added than this place has seen: it is another stream, or an older copy of it.
  if (ordinal > edge.added) return { place: isBehind ? { id, ordinal: removed } : { id }, gap: unknown };
  // Also at the end of all: who was given the last of an archive that lacks others has seen fewer than there were.
  if (removed <= ordinal) return { place };
  return { place: { id, ordinal: removed }, gap: { lost: removed - ordinal, ...unknown } };
}

/** A place as a text that says nothing to its holder. */
export function encodePlace({ id, ordinal }: StreamPlace): string {
  return Buffer.from(`${id}/${ordinal ?? ""}`).toString("base64url");
}

/** The place of such a text; undefined for any other text. */
export function decodePlace(text: string): StreamPlace | undefined {
  if (!/^[\w-]{1,80}$/.test(text)) return undefined;
  const decoded = Buffer.from(text, "base64url").toString("latin1");
  const [, id, ordinal] = /^(\d{1,15}-\d{1,15})\/(\d{0,15})$/.exec(decoded) ?? [];
  if (id === undefined) return undefined;
  return { id, ...(ordinal ? { ordinal: Number(ordinal) } : {}) };
}

function partsOf(id: string): readonly [ms: number, seq: bigint] {
  const [ms = "0", seq = "0"] = id.split("-");
  return [Number(ms), BigInt(seq)];
}
