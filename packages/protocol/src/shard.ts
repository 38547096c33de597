/**
 * Hash tags of the shards, spread evenly over Redis Cluster's 16,384 slots. The list only grows at its end:
 * a tag that has been written is never moved.
 */
const SHARD_TAGS = ["fs1o1"] as const;

/** How many shards this version writes. */
export const SHARD_COUNT = SHARD_TAGS.length;

/** The shard of a submission id: CRC16 of the id modulo the shard count. */
export function shardOf(id: string, shardCount: number = SHARD_COUNT): number {
  return shardCount === 1 ? 0 : crc16(id) % shardCount;
}

/** The hash tag of a shard. Throws a RangeError for a shard that does not exist. */
export function shardTag(shard: number): string {
  const tag = SHARD_TAGS[shard];
  if (tag === undefined) throw new RangeError(`There is no shard ${shard}; this version has ${SHARD_COUNT}.`);
  return tag;
}

// CRC16/XMODEM, the one Redis Cluster uses: polynomial 0x1021, start 0.
function crc16(text: string): number {
  let crc = 0;
  for (const byte of Buffer.from(text)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}
