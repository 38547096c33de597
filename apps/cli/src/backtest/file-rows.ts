import { createReadStream, type ReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { CommandError, EXIT, type World } from "../report.ts";
import { type BacktestRows, NOTHING_LEFT_OUT } from "./backtest-rows.ts";
import { lineBatches } from "./line-batches.ts";

const CHUNK_BYTES = 128 * 1024;

/** The rows of a file, or of stdin for `-`; unpacked where they are gzip. Throws a CommandError for no such file. */
export async function openRows(path: string, world: World): Promise<BacktestRows> {
  if (path === "-") {
    return {
      name: "stdin",
      form: "row",
      batches: () => lineBatches(unpacked(world.stdin(), "stdin")),
      readShare: () => undefined,
      leftOut: NOTHING_LEFT_OUT,
    };
  }
  const bytes = await sizeOf(path);
  const isPacked = path.endsWith(".gz");
  let stream: ReadStream | undefined;
  return {
    name: path,
    form: "row",
    leftOut: NOTHING_LEFT_OUT,
    batches() {
      stream = createReadStream(path, { highWaterMark: CHUNK_BYTES });
      return lineBatches(isPacked ? unpacked(stream, path) : readable(stream, path));
    },
    readShare: () => (bytes === 0 ? 1 : (stream?.bytesRead ?? 0) / bytes),
    ...(isPacked ? {} : { file: path }),
  };
}

async function sizeOf(path: string): Promise<number> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new Error("it is a folder");
    return found.size;
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Chunks, unpacked if they begin as gzip does. */
async function* unpacked(chunks: AsyncIterable<Uint8Array>, name: string): AsyncIterable<Uint8Array> {
  const iterator = readable(chunks, name)[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) return;
  const all = prepend(first.value, iterator);
  if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) return yield* all;
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  // What goes wrong is heard by who reads.
  pipeline(Readable.from(all), gunzip, () => undefined);
  yield* readable(gunzip, name);
}

async function* prepend(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

/** The same chunks; what goes wrong with them is a CommandError. */
async function* readable(chunks: AsyncIterable<Uint8Array>, name: string): AsyncIterable<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    throw error instanceof CommandError ? error : unreadable(name, error);
  }
}

function unreadable(name: string, error: unknown): CommandError {
  const why = error instanceof Error ? error.message : String(error);
  return new CommandError(EXIT.unavailable, `${name} cannot be read: ${why}.`, { cause: error });
}
