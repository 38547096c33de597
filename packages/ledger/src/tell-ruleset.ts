import { promisify } from "node:util";
import { deflateRaw } from "node:zlib";
import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { ARCHIVE_GROUP, KEEP } from "./archive-keep.ts";
import { createScript, text } from "./script.ts";

/** A ruleset that decides. */
export interface ToldRuleset {
  /** As verdicts name it. */
  readonly digest: string;
  readonly name: string;
  readonly engine: string;
  /** Path → text of every file that is needed to load it again, its own first. */
  readonly files: Readonly<Record<string, string>>;
  /** Unix ms. */
  readonly loadedAt: number;
}

const deflate = promisify(deflateRaw);

/** A ruleset may take this part of what may wait for the archive: a large list would drive out verdicts. */
const LARGEST_PART = 1 / 8;
/** An archive that was emptied or restored has it again after this time. */
const AGAIN_AFTER_MS = 86_400_000;

const tell = createScript(`
${KEEP}
local archive, backlog = unpack(KEYS)
local group, max_archive_bytes, digest, again_after, body = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function is_told(at) return at and tonumber(at) > now - again_after end
local mark = 'ruleset:' .. digest
if is_told(redis.call('HGET', backlog, mark)) then return { { 'known' } } end
if body == '' then return { { 'unknown' } } end
keep(archive, backlog, group, max_archive_bytes, { 't', 'ruleset', 'd', digest, 'j', body })
redis.call('HSET', backlog, mark, string.format('%.0f', now))
for _, name in ipairs(redis.call('HKEYS', backlog)) do
  if string.sub(name, 1, 8) == 'ruleset:' and not is_told(redis.call('HGET', backlog, name)) then
    redis.call('HDEL', backlog, name)
  end
end
return { { 'told' } }
`);

/**
 * Puts a ruleset on its way into the archive of a tenant, once a day for each digest, however often it is told; again at
 * once where it was dropped on its way. `too_large` is one that takes more than an eighth of `maxArchiveBytes`, deflated.
 */
export async function tellRuleset(
  redis: Redis,
  keys: Keys,
  { digest, name, engine, files, loadedAt }: ToldRuleset,
  maxArchiveBytes: number,
): Promise<"told" | "known" | "too_large"> {
  const run = async (body: Uint8Array | "") => {
    const args = [ARCHIVE_GROUP, maxArchiveBytes, digest, AGAIN_AFTER_MS, body];
    const [row] = await tell.run(redis, [keys.archive(), keys.archiveBacklog()], args);
    return text(row?.[0]);
  };
  // Its files are only sent where they are wanted.
  if ((await run("")) === "known") return "known";
  const body = await deflate(JSON.stringify({ name, engine, files, loaded_at: loadedAt }));
  if (body.byteLength > maxArchiveBytes * LARGEST_PART) return "too_large";
  return (await run(body)) === "told" ? "told" : "known";
}
