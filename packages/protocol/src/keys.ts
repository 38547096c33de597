import { createHash } from "node:crypto";
import type { Lane } from "./lanes.ts";
import { shardOf, shardTag } from "./shard.ts";
import { DEFAULT_TENANT } from "./tenant.ts";

/** The default of `ASSAY_PREFIX`. */
export const DEFAULT_PREFIX = "assay";

/** What could not be done for good is kept apart: reading a submission, archiving a verdict, delivering one. */
export const LETTER_KINDS = ["input", "pipeline", "delivery"] as const;

export type LetterKind = (typeof LETTER_KINDS)[number];

/**
 * Every Redis key of one tenant: `<prefix>:{<shard tag>}:<tenant>:<key>`, for example `assay:{fs1o1}:0:a:s_…`.
 * The braces keep all keys of a shard in one slot, so that one script may touch them together.
 */
export interface Keys {
  readonly prefix: string;
  readonly tenant: string;
  /** Hash: the submission's record, the only authority on it. */
  record(id: string): string;
  /** Zset: accepted and undecided ids of a lane by `received_at`. */
  pending(lane: Lane): string;
  /** String: the verdict's JSON. */
  verdict(id: string): string;
  /** Hash: who used this event in this flow. */
  claim(eventId: string, flow: string): string;
  /** String: the event, deflated, as a webhook or a lookup brought it. */
  storedEvent(eventId: string): string;
  /** List: ids of the verdicts on this event, newest first. */
  eventVerdicts(eventId: string): string;
  /** Stream: what failed for good in one way, kept with all that it takes to do it again. */
  deadLetters(kind: LetterKind): string;
  /** Hash: how many bytes these are, and how many were dropped because there were too many. */
  deadLetterTally(kind: LetterKind): string;
  /** Zset: what a counter counted for one value of its key, by time. */
  counter(hash: string): string;
  /** String: since when a counter of this definition counts, unix ms. */
  counterSince(definition: string): string;
  /** List: ids of the submissions of a caller's reference, newest first. */
  reference(hash: string): string;
  /** String: digest of an outcome that was told, and the submission that took it. */
  outcome(id: string): string;
  /** Hash: the token bucket of one vendor API key, named by its fingerprint. */
  lookupBucket(keyFingerprint: string): string;
  /** Zset: submissions that stand in line for a lookup and that somebody waits for, in their order. */
  awaitedLookups(): string;
  /** Zset: the others that stand in line, in their order. */
  otherLookups(): string;
  /** Zset: until when (unix ms) each of these may stand there. */
  lookupLineUntil(): string;
  /** Hash: the turns that were served last, and the last turn that each network was given. */
  lookupTurns(): string;
  /** String: the one submission that asks for this event, for all that want it. */
  asker(eventId: string): string;
  /** Zset: submissions that wait for this event, by when (unix ms) they stop. */
  waiters(eventId: string): string;
  /** String: how often the vendor did not know this event of late. */
  notFound(eventId: string): string;
  /** Stream: the outbox of verdicts. */
  verdicts(): string;
  /** The lease of the one consumer of a group that reads in the archive what the stream has given up. */
  gapLease(group: string): string;
  /** List: what left the stream before a group was given it, and is still to be read in the archive. */
  gaps(group: string): string;
  /** Hash: entries that left the stream before a group had dealt with them, and how often each was delivered. */
  goneEntries(group: string): string;
  /** String: there while a consumer of a group has an archive. */
  groupArchive(group: string): string;
  /** Hash: what workers noticed of events. */
  sightings(): string;
  /** Hash: a verdict on its way to an endpoint: its body, and how often it was tried. */
  delivery(id: string): string;
  /** Hash: how an endpoint fares: since when it fails, and why it is paused. */
  endpoint(name: string): string;
  /** Hash: the endpoints that those who deliver know, and their hosts. */
  endpoints(): string;
  /** Hash: which endpoints are to get verdicts again, and how far that has come. */
  replays(): string;
  /** The lease of the one process that works on an endpoint's replay. */
  replayLease(endpoint: string): string;
  /** Zset: all that an endpoint has not taken, by since when. */
  undelivered(endpoint: string): string;
  /** Zset: what waits for its next try, by when that is. */
  deliveriesDue(endpoint: string): string;
  /** Zset: what is being tried, by when its lease ends. */
  deliveriesInFlight(endpoint: string): string;
  /** Stream: what the archive has not got yet. */
  archive(): string;
  /** Hash: how much that is, and what was dropped of it. */
  archiveBacklog(): string;
  /** Hash: how far the backfill of a range is, by the range. */
  backfill(): string;
  /** String: the lease of the one process that backfills. */
  backfillLease(): string;
  /** String: how often somebody was erased. Not there while nobody was. */
  erasures(): string;
  /** String: when (unix ms) somebody, or an event, was erased. */
  tombstone(hash: string): string;
}

/** Key names of a tenant on the one shard of this version; `shardOf` has its place here when there are more. */
export function createKeys(options: { prefix?: string; tenant?: string } = {}): Keys {
  const { prefix = DEFAULT_PREFIX, tenant = DEFAULT_TENANT } = options;
  const key = (shard: number, rest: string) => `${prefix}:{${shardTag(shard)}}:${tenant}:${rest}`;
  const ofId = (id: string, rest: string) => key(shardOf(id), rest);
  // An event's keys hang on the event, not on a submission: the shard of a claim may differ from its submission's.
  const ofEvent = (eventId: string, rest: string) => key(shardOf(eventId), rest);
  return {
    prefix,
    tenant,
    record: (id) => ofId(id, `a:${id}`),
    pending: (lane) => key(0, `pending:${lane}`),
    verdict: (id) => ofId(id, `v:${id}`),
    claim: (eventId, flow) => ofEvent(eventId, `c:${eventId}:${flow}`),
    storedEvent: (eventId) => ofEvent(eventId, `ev:${eventId}`),
    eventVerdicts: (eventId) => ofEvent(eventId, `e:${eventId}`),
    deadLetters: (kind) => key(0, `dead:${kind}`),
    deadLetterTally: (kind) => key(0, `dead:${kind}:tally`),
    counter: (hash) => key(shardOf(hash), `n:${hash}`),
    counterSince: (definition) => key(shardOf(definition), `nd:${definition}`),
    reference: (hash) => key(shardOf(hash), `r:${hash}`),
    outcome: (id) => ofId(id, `o:${id}`),
    lookupBucket: (keyFingerprint) => key(0, `lb:${keyFingerprint}`),
    awaitedLookups: () => key(0, "ll:awaited"),
    otherLookups: () => key(0, "ll:others"),
    lookupLineUntil: () => key(0, "ll:until"),
    lookupTurns: () => key(0, "ll:turns"),
    asker: (eventId) => ofEvent(eventId, `la:${eventId}`),
    waiters: (eventId) => ofEvent(eventId, `w:${eventId}`),
    notFound: (eventId) => ofEvent(eventId, `nf:${eventId}`),
    verdicts: () => key(0, "verdicts"),
    gapLease: (group) => key(0, `vl:${group}`),
    gaps: (group) => key(0, `vg:${group}`),
    goneEntries: (group) => key(0, `vo:${group}`),
    groupArchive: (group) => key(0, `va:${group}`),
    sightings: () => key(0, "seen"),
    delivery: (id) => key(0, `wh:${id}`),
    endpoint: (name) => key(0, `we:${name}`),
    endpoints: () => key(0, "endpoints"),
    replays: () => key(0, "wr"),
    replayLease: (endpoint) => key(0, `wl:${endpoint}`),
    undelivered: (endpoint) => key(0, `wa:${endpoint}`),
    deliveriesDue: (endpoint) => key(0, `wd:${endpoint}`),
    deliveriesInFlight: (endpoint) => key(0, `wf:${endpoint}`),
    archive: () => key(0, "archive"),
    archiveBacklog: () => key(0, "archive:backlog"),
    backfill: () => key(0, "backfill"),
    backfillLease: () => key(0, "backfill:lease"),
    erasures: () => key(0, "er"),
    tombstone: (hash) => key(shardOf(hash), `er:${hash}`),
  };
}

/** BullMQ's own prefix: `assay:{fs1o1}:q`. */
export function queuePrefix(prefix: string = DEFAULT_PREFIX): string {
  return `${prefix}:{${shardTag(0)}}:q`;
}

/** The channel on which decided ids are announced. Messages are hints; the record is the truth. */
export function decidedChannel(prefix: string = DEFAULT_PREFIX): string {
  return `${prefix}:{${shardTag(0)}}:decided`;
}

/** Hash: schema version, shard count, the installation's own random key. */
export function metaKey(prefix: string = DEFAULT_PREFIX): string {
  return `${prefix}:meta`;
}

/** The lease of the one process that reconciles. */
export function leaderKey(prefix: string = DEFAULT_PREFIX): string {
  return `${prefix}:{${shardTag(0)}}:leader`;
}

/** First 8 hex characters of a secret's SHA-256: names a key in metrics without telling it. */
export function secretFingerprint(secret: string | Uint8Array): string {
  return createHash("sha256").update(secret).digest("hex").slice(0, 8);
}
