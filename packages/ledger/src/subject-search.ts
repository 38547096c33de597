import { isRecord, type Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { type Holding, isLeft } from "./holding.ts";
import { keyedHash, networkHash } from "./keyed-hash.ts";
import { canonical, concerns, type Subject } from "./subject.ts";
import { readDefinitions, walkHoldings } from "./walk-holdings.ts";

/** What is known of somebody so far. What another store knows may be added to it. */
export interface SubjectIds {
  /** Ids of submissions. */
  readonly submissions: Set<string>;
  /** Ids of events. */
  readonly events: Set<string>;
}

/** A holding that is about the subject. */
export interface Finding {
  readonly holding: Holding;
  /** Whether it names the subject itself, and not only a submission or an event of the subject's. */
  readonly isDirect: boolean;
}

/** All of a tenant's holdings that are about the subject. */
export interface Findings {
  readonly list: readonly Finding[];
  /** Counters whose key is the subject alone. */
  readonly ownCounters: ReadonlySet<string>;
  /** What else a counter may have counted: hashes of distinct values. */
  readonly members: readonly string[];
  /** Keys that list deliveries. */
  readonly deliveryLines: readonly string[];
  /** Networks that may have stood in the line of lookups, as it names them. */
  readonly networks: readonly string[];
}

const MEMBERS_AT_ONCE = 500;

/** What is looked for. */
interface Search {
  readonly subject: Subject;
  readonly hashKey: string;
  readonly ids: SubjectIds;
  /** Told how many things of this walk it has looked at. */
  readonly onStep?: (looked: number) => void;
}

/**
 * Walks all that a tenant has, and again until nothing more is found: a submission leads to its event, and that to its
 * other submissions. Adds what it finds to `ids`; findings come without their documents.
 */
export async function findSubject(redis: Redis, keys: Keys, search: Search): Promise<Findings> {
  const { submissions, events } = search.ids;
  for (;;) {
    const before = submissions.size + events.size;
    // Counters are found by what is known before a walk.
    const findings = await walk(redis, keys, search, await readDefinitions(redis, keys));
    if (submissions.size + events.size === before) return findings;
  }
}

/** The findings with their documents, as they are now. */
export async function* readFindings(redis: Redis, keys: Keys, { list }: Findings): AsyncGenerator<Holding> {
  const wanted = new Set(list.map(({ holding }) => placeOf(holding)));
  for await (const { holdings } of walkHoldings(redis, keys)) {
    for (const holding of holdings) if (wanted.delete(placeOf(holding))) yield holding;
  }
}

async function walk(
  redis: Redis,
  keys: Keys,
  { subject, hashKey, ids, onStep }: Search,
  definitions: ReadonlySet<string>,
): Promise<Findings> {
  const found = new Map<string, Finding>();
  const deliveryLines = new Set<string>();
  const addresses = new Set(subject.kind === "ip" ? [subject.value] : []);
  const { ownCounters, members } = countedOf(keys, subject, hashKey, definitions);
  const note = (holding: Holding, isDirect: boolean) =>
    found.set(placeOf(holding), { holding: { ...holding, documents: [] }, isDirect });
  let looked = 0;
  for await (const passed of walkHoldings(redis, keys)) {
    onStep?.((looked += passed.holdings.length));
    for (const line of passed.deliveryLines) deliveryLines.add(line);
    for (const holding of passed.holdings) {
      if (isLeft(holding)) continue;
      const isDirect = holding.documents.some((document) => concerns(subject, document));
      if (!isDirect && !isOf(ids, holding)) continue;
      learn(ids, holding);
      for (const ip of addressesOf(holding)) addresses.add(ip);
      note(holding, isDirect);
    }
    const counters = passed.holdings.filter(({ store }) => store === "counters");
    const isCounted = (member: string) => ids.events.has(member) || ids.submissions.has(member) || members.has(member);
    const areMine = await Promise.all(
      counters.map(async ({ key, members: few }) => {
        if (ownCounters.has(key)) return true;
        return few?.some(isCounted) ?? (await hasAny(redis, key, [...ids.events, ...ids.submissions, ...members]));
      }),
    );
    for (const [index, { members: few, ...holding }] of counters.entries()) {
      const mine = few === undefined ? {} : { members: few.filter(isCounted) };
      if (areMine[index] === true) note({ ...holding, ...mine }, false);
    }
  }
  return {
    list: [...found.values()],
    ownCounters,
    members: [...members],
    deliveryLines: [...deliveryLines],
    networks: [...addresses].map((ip) => networkHash(hashKey, ip)),
  };
}

/** The counters that have the subject alone for a key, and what it is as a distinct value of others. */
function countedOf(keys: Keys, subject: Subject, hashKey: string, definitions: ReadonlySet<string>) {
  const ownCounters = new Set<string>();
  const members = new Set<string>();
  for (const definition of definitions) {
    for (const value of new Set([subject.value, canonical(subject)])) {
      ownCounters.add(keys.counter(keyedHash(hashKey, definition, JSON.stringify([value]))));
      members.add(keyedHash(hashKey, `${definition}:distinct`, JSON.stringify(value)));
    }
  }
  return { ownCounters, members };
}

function placeOf({ key, entryId = "" }: Holding): string {
  return `${key} ${entryId}`;
}

function isOf({ submissions, events }: SubjectIds, { submissionIds, eventIds }: Holding): boolean {
  return submissionIds.some((id) => submissions.has(id)) || eventIds.some((id) => events.has(id));
}

// A list of ids also holds those of others; only the list of an event that is the subject's is all the subject's.
function learn({ submissions, events }: SubjectIds, { store, submissionIds, eventIds, ownEventIds }: Holding): void {
  const isListOfOthers =
    store === "reference_lists" || (store === "event_lists" && !eventIds.some((id) => events.has(id)));
  if (isListOfOthers) return;
  for (const id of submissionIds) submissions.add(id);
  for (const id of ownEventIds) events.add(id);
}

async function hasAny(redis: Redis, key: string, members: readonly string[]): Promise<boolean> {
  for (let from = 0; from < members.length; from += MEMBERS_AT_ONCE) {
    const scores = await redis.zmscore(key, ...members.slice(from, from + MEMBERS_AT_ONCE));
    if (scores.some((score) => score !== null)) return true;
  }
  return false;
}

function addressesOf({ documents }: Holding): string[] {
  return documents.flatMap((one) => {
    const context = isRecord(one) ? one["context"] : undefined;
    const ip = isRecord(context) ? context["ip"] : undefined;
    return typeof ip === "string" ? [ip] : [];
  });
}
