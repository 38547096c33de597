import { ArchiveError } from "./archive-error.ts";

/** An id in a stream of Redis: ordered by time, then by sequence. */
export interface StreamId {
  /** Unix ms. */
  readonly ms: number;
  readonly seq: bigint;
}

const ID = /^(\d{1,15})-(\d{1,20})$/;
/** Of Postgres's bigint. Redis counts to twice as much, and never comes that far. */
const MAX_SEQ = 2n ** 63n - 1n;

/** Reads `<ms>-<sequence>`. A sequence that no column holds is the largest one. Throws an ArchiveError for anything else. */
export function streamIdOf(id: string): StreamId {
  const [, ms, sequence] = ID.exec(id) ?? [];
  if (ms === undefined || sequence === undefined) {
    throw new ArchiveError("archive_rejected", "This is no id of a stream. Give one such as 1764252000000-0.");
  }
  const seq = BigInt(sequence);
  return { ms: Number(ms), seq: seq < MAX_SEQ ? seq : MAX_SEQ };
}
