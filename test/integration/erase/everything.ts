import { inflateRawSync } from "node:zlib";
import type { ArchivePool } from "@assay/archive";
import type { Redis } from "ioredis";

/** Something that a store holds: where, and all texts that can be read in it. */
export interface Held {
  readonly place: string;
  readonly texts: readonly string[];
}

/** Every key of a prefix, of every type, plain and inflated. */
export async function everyKey(redis: Redis, prefix: string): Promise<Held[]> {
  const names = (await redis.keys(`${prefix}:*`)).toSorted();
  // Inflating takes its time, in which an answer that is on its way would be too late.
  const values = await Promise.all(names.map((name) => read(redis, name)));
  return names.map((name, at) => ({ place: name, texts: [name, ...(values[at] ?? []).flatMap(textsOf)] }));
}

/** Every row of every table of the archive. */
export async function everyRow(pool: ArchivePool): Promise<Held[]> {
  const tables = await pool.query<{ tablename: string }>("SELECT tablename FROM pg_tables WHERE schemaname = 'assay'");
  const held = await Promise.all(
    tables.map(async ({ tablename }) => {
      const rows = await pool.query<Record<string, unknown>>(`SELECT * FROM assay.${tablename}`);
      return rows.map((row) => ({
        place: `table ${tablename}`,
        texts: Object.values(row).flatMap((cell) => textsOf(Buffer.isBuffer(cell) ? cell : Buffer.from(String(cell)))),
      }));
    }),
  );
  return held.flat();
}

/** Places that hold a text. */
export function placesWith(held: readonly Held[], text: string): string[] {
  return held.filter(({ texts }) => texts.some((one) => one.includes(text))).map(({ place }) => place);
}

async function read(redis: Redis, key: string): Promise<Buffer[]> {
  const type = await redis.type(key);
  switch (type) {
    case "string":
      return [(await redis.getBuffer(key)) ?? Buffer.alloc(0)];
    case "hash":
      return Object.entries(await redis.hgetallBuffer(key)).flatMap(([name, value]) => [Buffer.from(name), value]);
    case "list":
      return await redis.lrangeBuffer(key, 0, -1);
    case "zset":
      return await redis.zrangeBuffer(key, 0, "-1");
    case "set":
      return await redis.smembersBuffer(key);
    case "stream":
      return (await redis.xrangeBuffer(key, "-", "+")).flatMap(([, fields]) => fields);
    case "none":
      return [];
    default:
      throw new Error(`Nobody reads keys of the type ${type}: ${key}`);
  }
}

function textsOf(bytes: Buffer): string[] {
  try {
    return [bytes.toString("latin1"), inflateRawSync(bytes).toString("utf8")];
  } catch {
    return [bytes.toString("latin1")];
  }
}
