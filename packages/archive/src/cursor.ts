import { ArchiveError } from "./archive-error.ts";

/** A place in a list of verdicts, newest first: the last one that was shown. */
export interface Place {
  /** Unix ms. */
  readonly receivedAt: number;
  readonly id: string;
}

/** A place as text that callers hand back and do not look into. */
export function writeCursor({ receivedAt, id }: Place): string {
  return Buffer.from(`1 ${receivedAt} ${id}`).toString("base64url");
}

/** Throws an ArchiveError `cursor_invalid` for what `writeCursor` did not write. */
export function readCursor(cursor: string): Place {
  const [, receivedAt, id] =
    /^1 (\d{1,15}) ([\x21-\x7e]+)$/.exec(Buffer.from(cursor, "base64url").toString("utf8")) ?? [];
  if (receivedAt === undefined || id === undefined) {
    throw new ArchiveError("cursor_invalid", "This cursor is none of ours. Ask without one to begin anew.");
  }
  return { receivedAt: Number(receivedAt), id };
}
