import { createHash } from "node:crypto";
import type { Redis } from "ioredis";

/** One cell of a script's reply: bytes, or undefined where the script said nothing. */
export type Cell = Buffer | undefined;

/** A Lua script. Every key it touches is in `keys`, so that it runs on a cluster. */
export interface Script {
  /** Runs the script and returns its rows; each row is a list of cells. Throws what Redis throws. */
  run(redis: Redis, keys: readonly string[], args: readonly (string | number | Uint8Array)[]): Promise<Cell[][]>;
}

/** Wraps Lua whose reply is a list of rows. Sent by hash; sent whole when this server does not know it yet. */
export function createScript(lua: string): Script {
  const sha = createHash("sha1").update(lua).digest("hex");
  return {
    async run(redis, keys, args) {
      const rest = [keys.length, ...keys, ...args.map((arg) => (arg instanceof Uint8Array ? Buffer.from(arg) : arg))];
      try {
        return readRows(await redis.callBuffer("EVALSHA", [sha, ...rest]));
      } catch (error) {
        if (!(error instanceof Error) || !error.message.includes("NOSCRIPT")) throw error;
        return readRows(await redis.callBuffer("EVAL", [lua, ...rest]));
      }
    },
  };
}

function readRows(reply: unknown): Cell[][] {
  if (!Array.isArray(reply)) throw new TypeError("A ledger script did not answer with rows.");
  return reply.map((row: unknown) => {
    if (!Array.isArray(row)) throw new TypeError("A ledger script did not answer with rows.");
    return row.map(readCell);
  });
}

function readCell(cell: unknown): Cell {
  if (Buffer.isBuffer(cell)) return cell;
  if (typeof cell === "number") return Buffer.from(String(cell));
  return undefined;
}

/** A cell as text; empty when the script said nothing. */
export function text(cell: Cell): string {
  return cell === undefined ? "" : cell.toString("utf8");
}

/** A cell as a number; 0 when the script said nothing. */
export function number(cell: Cell): number {
  return cell === undefined ? 0 : Number(cell.toString("latin1"));
}
