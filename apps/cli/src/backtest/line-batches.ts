import { isAscii } from "node:buffer";

/** A line of at least this many bytes is cut: an event and its context take half of it at most. */
export const MAX_LINE_BYTES = 1024 * 1024;
/** Some dozens of rows: few enough to stay in a processor's cache, and sending them costs little beside reading them. */
export const BATCH_BYTES = 128 * 1024;

const NEWLINE = 10;
/** Stands where a line was cut. No JSON holds such a byte, so that what is left of the line is none. */
const CUT = Uint8Array.of(1);

/** Puts chunks of a stream together into pieces of whole lines. Memory is bounded, whatever the stream holds. */
export async function* lineBatches(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array<ArrayBuffer>> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  // Of the line that is not ended yet.
  let lineBytes = 0;
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      const isCut = lineBytes < MAX_LINE_BYTES && lineBytes + chunk.length >= MAX_LINE_BYTES;
      const kept = isCut ? CUT : lineBytes < MAX_LINE_BYTES ? chunk : CUT.subarray(1);
      held.push(kept);
      heldBytes += kept.length;
      lineBytes += chunk.length;
      continue;
    }
    held.push(chunk.subarray(0, end));
    heldBytes += end;
    if (heldBytes >= BATCH_BYTES) {
      yield joined(held, heldBytes);
      held = [];
      heldBytes = 0;
    }
    const rest = chunk.subarray(end);
    held.push(rest);
    heldBytes += rest.length;
    lineBytes = rest.length;
  }
  if (heldBytes > 0) yield joined(held, heldBytes);
}

// A copy: what it was read into may be read into again, and a piece is given away.
function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The lines of a piece, without their ends. */
export function linesIn(batch: Uint8Array): string[] {
  // The same text for what is ASCII, and made several times as fast.
  const encoding = isAscii(batch) ? "latin1" : "utf8";
  const text = Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength).toString(encoding);
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** Whether a line holds nothing, and is none. */
export function isBlank(line: string): boolean {
  return line === "" || line === "\r";
}
