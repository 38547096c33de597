import { type Keys, LETTER_KINDS } from "@assay/protocol";
import type { Redis } from "ioredis";
import { type Holding, holdingOf, readDocuments, type Store } from "./holding.ts";

/** How many keys a step looks at. Redis serves everybody else between two steps. */
const KEYS_AT_ONCE = 500;
/** An entry may hold a submission of half a megabyte. */
const ENTRIES_AT_ONCE = 50;

type Read = (redis: Redis, key: string, name: string) => Promise<Holding>;

// By what follows the tenant in a key's name.
const READS: Readonly<Record<string, Read>> = {
  a: readRecord,
  v: async (redis, key, name) =>
    holdingOf({ store: "verdicts", key }, readDocuments(await redis.getBuffer(key)), { submissionIds: [name] }),
  o: async (redis, key) => {
    const told = (await redis.get(key)) ?? "";
    return holdingOf({ store: "outcomes", key }, [], { submissionIds: [told.slice(told.indexOf("|") + 1)] });
  },
  ev: async (redis, key, name) =>
    holdingOf({ store: "events", key }, readDocuments(await redis.getBuffer(key)), { eventIds: [name] }),
  c: async (_, key, name) =>
    holdingOf({ store: "claims", key }, [], { eventIds: [name.slice(0, name.lastIndexOf(":"))] }),
  e: async (redis, key, name) =>
    holdingOf({ store: "event_lists", key }, [], { submissionIds: await redis.lrange(key, 0, -1), eventIds: [name] }),
  r: async (redis, key) =>
    holdingOf({ store: "reference_lists", key }, [], { submissionIds: await redis.lrange(key, 0, -1) }),
  la: ofLookup,
  w: ofLookup,
  nf: ofLookup,
  n: async (_, key) => holdingOf({ store: "counters", key }, []),
  wh: async (redis, key) => holdingOf({ store: "deliveries", key }, readDocuments(await redis.hgetBuffer(key, "b"))),
};

/** What else a walk passes: names of definitions of counters, and keys that list deliveries or networks. */
export interface Passed {
  readonly holdings: readonly Holding[];
  readonly definitions: readonly string[];
  readonly deliveryLines: readonly string[];
}

/**
 * Passes all that Redis keeps of a tenant and that may be about somebody, in bounded steps: what is there all the time
 * is passed at least once.
 */
export async function* walkHoldings(redis: Redis, keys: Keys): AsyncGenerator<Passed> {
  const [base = ""] = keys.verdicts().split(/verdicts$/);
  let cursor = "0";
  do {
    const [next, found] = await redis.scan(cursor, "MATCH", `${base}*`, "COUNT", KEYS_AT_ONCE);
    cursor = next;
    const parts = found.map((key) => {
      const rest = key.slice(base.length);
      const at = rest.indexOf(":");
      return { key, family: rest.slice(0, Math.max(0, at)), name: rest.slice(at + 1) };
    });
    yield {
      holdings: await Promise.all(parts.flatMap(({ key, family, name }) => READS[family]?.(redis, key, name) ?? [])),
      definitions: parts.filter(({ family }) => family === "nd").map(({ name }) => name),
      deliveryLines: parts.filter(({ family }) => ["wa", "wd", "wf"].includes(family)).map(({ key }) => key),
    };
  } while (cursor !== "0");
  yield* walkStream(redis, keys.verdicts(), "verdict_stream");
  yield* walkStream(redis, keys.archive(), "archive_stream");
  for (const kind of LETTER_KINDS) {
    yield* walkStream(redis, keys.deadLetters(kind), "dead_letters");
  }
}

async function* walkStream(redis: Redis, key: string, store: Store): AsyncGenerator<Passed> {
  let after = "-";
  for (;;) {
    const entries = await redis.xrangeBuffer(key, after, "+", "COUNT", ENTRIES_AT_ONCE);
    const holdings = entries.map(([id, fields]) => {
      const values = fields.flatMap((field, index) => {
        const value = fields[index + 1];
        return index % 2 === 0 && value !== undefined ? [{ name: field.toString(), value }] : [];
      });
      // As a stream that is bounded by its bytes counts them.
      const bytes = values.reduce((sum, { value }) => sum + value.length, 0);
      // An outcome on its way to the archive calls it `a`.
      const submissionIds = values
        .filter(({ name }) => name === "id" || name === "a")
        .map(({ value }) => value.toString());
      // The files of a ruleset, which may be many, are about nobody.
      const documents = values.flatMap(({ name, value }) => (name === "j" ? [] : readDocuments(value)));
      return holdingOf({ store, key, entryId: id.toString(), bytes }, documents, { submissionIds });
    });
    yield { holdings, definitions: [], deliveryLines: [] };
    const last = entries.at(-1)?.[0];
    if (last === undefined || entries.length < ENTRIES_AT_ONCE) return;
    after = `(${last.toString()}`;
  }
}

async function readRecord(redis: Redis, key: string, name: string): Promise<Holding> {
  const [meta, told, streamId] = await redis.hmgetBuffer(key, "m", "o", "s");
  const documents = readDocuments(meta);
  const [kind] = documents.map((one) => (typeof one === "object" && one !== null && "kind" in one ? one.kind : ""));
  // Only what is undecided has one, and a seal says nothing.
  if (streamId === null && kind !== "sealed") documents.push(...readDocuments(await redis.hgetBuffer(key, "p")));
  for (const line of (told ?? "").toString().split("\n")) documents.push(...readDocuments(Buffer.from(line)));
  return holdingOf({ store: "submissions", key }, documents, { submissionIds: [name] });
}

async function ofLookup(_: Redis, key: string, name: string): Promise<Holding> {
  return holdingOf({ store: "lookups", key }, [], { eventIds: [name] });
}
