import { isRecord, type Keys, LETTER_KINDS } from "@assay/protocol";
import type { Redis } from "ioredis";
import { type Holding, holdingOf, readDocuments, type Store } from "./holding.ts";
import { type PeekKind, peekKeys } from "./peek-keys.ts";
import { type Cell, text } from "./script.ts";

/** How many keys a step looks at. Redis serves everybody else between two steps. */
const KEYS_AT_ONCE = 500;
/** An entry may hold a submission of half a megabyte. */
const ENTRIES_AT_ONCE = 50;

interface Reading {
  /** How its key is looked into; absent where the name says all. */
  readonly kind?: PeekKind;
  holding(key: string, name: string, cells: readonly Cell[]): Holding;
}

const OF_LOOKUP: Reading = {
  holding: (key, name) => holdingOf({ store: "lookups", key }, [], { eventIds: [name] }),
};

// By what follows the tenant in a key's name.
const READINGS: Readonly<Record<string, Reading>> = {
  a: { kind: "record", holding: recordOf },
  v: {
    kind: "string",
    holding: (key, name, [json]) =>
      holdingOf({ store: "verdicts", key }, readDocuments(json), { submissionIds: [name] }),
  },
  o: {
    kind: "string",
    holding(key, _, [cell]) {
      const told = text(cell);
      return holdingOf({ store: "outcomes", key }, [], { submissionIds: [told.slice(told.indexOf("|") + 1)] });
    },
  },
  ev: {
    kind: "string",
    holding: (key, name, [json]) => holdingOf({ store: "events", key }, readDocuments(json), { eventIds: [name] }),
  },
  c: {
    holding: (key, name) =>
      holdingOf({ store: "claims", key }, [], { eventIds: [name.slice(0, name.lastIndexOf(":"))] }),
  },
  e: {
    kind: "list",
    holding: (key, name, cells) =>
      holdingOf({ store: "event_lists", key }, [], { submissionIds: cells.map(text), eventIds: [name] }),
  },
  r: {
    kind: "list",
    holding: (key, _, cells) => holdingOf({ store: "reference_lists", key }, [], { submissionIds: cells.map(text) }),
  },
  la: OF_LOOKUP,
  w: OF_LOOKUP,
  nf: OF_LOOKUP,
  n: {
    kind: "counter",
    holding: (key, _, cells) => ({
      ...holdingOf({ store: "counters", key }, []),
      ...(cells.includes(undefined) ? {} : { members: cells.map(text) }),
    }),
  },
  wh: {
    kind: "delivery",
    holding: (key, _, [body]) => holdingOf({ store: "deliveries", key }, readDocuments(body)),
  },
};

/** What a walk passes: also keys that list deliveries. */
export interface Passed {
  readonly holdings: readonly Holding[];
  readonly deliveryLines: readonly string[];
}

/** Names of the definitions of a tenant's counters. */
export async function readDefinitions(redis: Redis, keys: Keys): Promise<Set<string>> {
  const names = new Set<string>();
  const begin = keys.counterSince("");
  let from = "0";
  do {
    const [cursor, found] = await redis.scan(from, "MATCH", `${begin}*`, "COUNT", KEYS_AT_ONCE);
    for (const key of found) names.add(key.slice(begin.length));
    from = cursor;
  } while (from !== "0");
  return names;
}

/**
 * Passes all that Redis keeps of a tenant and that may be about somebody, in bounded steps: what is there all the time
 * is passed at least once.
 */
export async function* walkHoldings(redis: Redis, keys: Keys): AsyncGenerator<Passed> {
  const [base = ""] = keys.verdicts().split(/verdicts$/);
  // Redis is asked for the next step while whoever asked looks at this one.
  let coming: Promise<Step> | undefined = readStep(redis, base, "0");
  while (coming !== undefined) {
    const { cursor, ...passed }: Step = await coming;
    coming = cursor === "0" ? undefined : readStep(redis, base, cursor);
    // Who no longer looks hears of no fault.
    coming?.catch(() => undefined);
    yield passed;
  }
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
    yield { holdings, deliveryLines: [] };
    const last = entries.at(-1)?.[0];
    if (last === undefined || entries.length < ENTRIES_AT_ONCE) return;
    after = `(${last.toString()}`;
  }
}

interface Step extends Passed {
  readonly cursor: string;
}

async function readStep(redis: Redis, base: string, from: string): Promise<Step> {
  const [cursor, found] = await redis.scan(from, "MATCH", `${base}*`, "COUNT", KEYS_AT_ONCE);
  const parts = found.map((key) => {
    const rest = key.slice(base.length);
    const at = rest.indexOf(":");
    return { key, family: rest.slice(0, Math.max(0, at)), name: rest.slice(at + 1) };
  });
  return {
    cursor,
    holdings: await readAll(redis, parts),
    deliveryLines: parts.filter(({ family }) => ["wa", "wd", "wf"].includes(family)).map(({ key }) => key),
  };
}

async function readAll(
  redis: Redis,
  parts: readonly { readonly key: string; readonly family: string; readonly name: string }[],
): Promise<Holding[]> {
  const known = parts.flatMap(({ key, family, name }) => {
    const reading = READINGS[family];
    return reading === undefined ? [] : [{ key, name, reading }];
  });
  const answers = await peekKeys(
    redis,
    known.flatMap(({ key, reading: { kind } }) => (kind === undefined ? [] : [{ key, kind }])),
  );
  let next = 0;
  const asked = known.map((one) => ({ ...one, cells: one.reading.kind === undefined ? [] : (answers[next++] ?? []) }));
  return await Promise.all(
    asked.map(async ({ key, name, reading, cells }) => {
      const payload = reading.kind === "record" && isOpenToRead(cells) ? [await redis.hgetBuffer(key, "p")] : [];
      return reading.holding(key, name, [...cells, ...payload.map((bytes) => bytes ?? undefined)]);
    }),
  );
}

// Only what is undecided has a payload, and a seal says nothing.
function isOpenToRead([meta, , streamId]: readonly Cell[]): boolean {
  if (meta === undefined || streamId !== undefined) return false;
  return readDocuments(meta).every((one) => !isRecord(one) || one["kind"] !== "sealed");
}

function recordOf(key: string, name: string, [meta, told, , payload]: readonly Cell[]): Holding {
  const documents = [...readDocuments(meta), ...readDocuments(payload)];
  for (const line of text(told).split("\n")) documents.push(...readDocuments(Buffer.from(line)));
  return holdingOf({ store: "submissions", key }, documents, { submissionIds: [name] });
}
