import {
  type ArchivePool,
  buryInArchive,
  createArchiveWriter,
  type ErasedRows,
  eraseSubjectRows,
} from "@assay/archive";
import {
  countFindings,
  eraseFindings,
  type StoreCounts,
  type SubjectIds,
  tombstoneHash,
  writeTombstones,
} from "@assay/ledger";
import { CommandError, EXIT, type Report, type World } from "../report.ts";
import { filesWith } from "./files-with.ts";
import { findAll, type Found } from "./find-all.ts";
import { type Ground, onGround, type SubjectOptions } from "./ground.ts";
import { type Receipt, showReceipt } from "./receipt.ts";

export interface EraseOptions extends SubjectOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly rulesets?: string;
}

/** A submission is received so far ahead of Redis's time at most. */
const MAX_AHEAD_MS = 6000;
/** What came in while the stores were walked is found by the next walk. */
const MAX_ROUNDS = 3;

/** `assay erase`: erases a subject wherever this installation keeps it, and says what was done. */
export async function erase(options: EraseOptions, world: World): Promise<Report> {
  if (options.yes !== true && options.dryRun !== true) {
    const message = "What is erased is gone. Count it first with --dry-run, then say --yes.";
    throw new CommandError(EXIT.usage, message);
  }
  return await onGround(options, world, async (ground) => {
    const files = await filesWith(ground, options, world);
    const receipt = options.dryRun === true ? await count(ground) : await eraseAll(ground);
    return showReceipt({ ...receipt, files });
  });
}

type Done = Omit<Receipt, "files">;

async function count(ground: Ground): Promise<Done> {
  const { findings, rows } = await findAll(ground, newIds());
  const archive = { verdicts: rows.length };
  return {
    ...headOf(ground),
    redis: countFindings(findings),
    ...(ground.archive === undefined ? {} : { archive }),
    tombstones: 0,
    remaining: 0,
  };
}

/*
 * The tombstone stands first: from then on nothing of the subject is published any more, and what is found is all. Those
 * of events and submissions stand before anything is erased, so that none of them comes back meanwhile.
 */
async function eraseAll(ground: Ground): Promise<Done> {
  const { redis, keys, hashKey, subject, archive, retentionMs } = ground;
  const ids = newIds();
  const own = tombstoneHash(hashKey, subject);
  let [erasedAt, counted] = [0, noneCounted()];
  let found: Found | undefined;
  const buried = new Set<string>();
  const buryAll = async () => {
    const events = [...ids.events].map((value) => tombstoneHash(hashKey, { kind: "event", value }));
    const isFresh = (name: string) => !buried.has(name);
    const hashes = [own, ...events].filter(isFresh);
    const fresh = [...hashes, ...[...ids.submissions].filter(isFresh)];
    if (fresh.length === 0) return;
    erasedAt = Math.max(erasedAt, await writeTombstones(redis, keys, fresh, { ttlMs: retentionMs }));
    for (const name of fresh) buried.add(name);
    // Those of submissions it writes with what it erases.
    if (archive !== undefined) await buryIn(archive, ground, hashes, erasedAt);
  };
  for (let round = 0; round < MAX_ROUNDS; round++) {
    await buryAll();
    found = await findAll(ground, ids);
    if (sizeOf(found) === 0) break;
    await buryAll();
    counted = add(counted, await eraseFound(ground, found, ids));
  }
  const left = found === undefined || sizeOf(found) === 0 ? 0 : sizeOf(await findAll(ground, ids));
  const done = {
    ...headOf(ground),
    erasedAt,
    redis: counted.redis,
    ...(archive === undefined ? {} : { archive: counted.archive }),
    tombstones: buried.size,
    remaining: left,
  };
  if (archive !== undefined) await tellAudit(archive, done);
  return done;
}

async function eraseFound({ redis, keys, tenant, archive }: Ground, found: Found, ids: SubjectIds) {
  const inRedis = await eraseFindings(redis, keys, found.findings, ids);
  // What came in while it was looked for is found, too.
  const [seconds] = await redis.time();
  const erasedAt = Number(seconds) * 1000 + MAX_AHEAD_MS;
  const submissionIds = [...ids.submissions];
  const inArchive =
    archive === undefined
      ? undefined
      : await eraseSubjectRows(archive, { tenant, rows: found.rows, submissionIds, erasedAt });
  return { redis: inRedis, archive: inArchive ?? noneCounted().archive };
}

async function buryIn(
  archive: ArchivePool,
  { tenant, hashKey, subject }: Ground,
  hashes: readonly string[],
  erasedAt: number,
) {
  const own = tombstoneHash(hashKey, subject);
  const tombstones = hashes.map((hash) => ({ kind: hash === own ? "subject" : "event", hash }) as const);
  await buryInArchive(archive, { tenant, erasedAt, tombstones });
}

async function tellAudit(pool: ArchivePool, { tenant, kind, subject, erasedAt, redis, archive, remaining }: Done) {
  const at = erasedAt ?? 0;
  await createArchiveWriter({ pool }).write([
    {
      type: "audit",
      tenant,
      id: `erased-${subject}`,
      at,
      actor: "assay erase",
      act: "erased",
      subject: `${kind}:${subject}`,
      detail: { redis, archive, remaining },
    },
  ]);
}

function headOf({ tenant, subject, hashKey }: Ground) {
  return { tenant, kind: subject.kind, subject: tombstoneHash(hashKey, subject) };
}

function newIds(): SubjectIds {
  return { submissions: new Set(), events: new Set() };
}

function sizeOf({ findings, rows }: Found): number {
  return findings.list.length + rows.length;
}

function noneCounted(): { readonly redis: StoreCounts; readonly archive: ErasedRows } {
  return { redis: {}, archive: { verdicts: 0, events: 0, labels: 0 } };
}

function add(a: ReturnType<typeof noneCounted>, b: ReturnType<typeof noneCounted>): ReturnType<typeof noneCounted> {
  return { redis: { ...a.redis, ...sum(a.redis, b.redis) }, archive: { ...a.archive, ...sum(a.archive, b.archive) } };
}

function sum<Name extends string>(a: { readonly [name in Name]?: number }, b: { readonly [name in Name]?: number }) {
  const total: { [name in Name]?: number } = { ...a };
  for (const name in b) total[name] = (a[name] ?? 0) + (b[name] ?? 0);
  return total;
}
