import { appendFileSync, closeSync, openSync } from "node:fs";
import { createArchiveReader } from "@assay/archive";
import { type Holding, readFindings, type SubjectIds } from "@assay/ledger";
import { isRecord } from "@assay/protocol";
import { count } from "../faults.ts";
import { CommandError, EXIT, type Report, type World } from "../report.ts";
import { findAll } from "./find-all.ts";
import { type Ground, onGround, type SubjectOptions } from "./ground.ts";

export interface ExportOptions extends SubjectOptions {
  readonly out?: string;
}

/** One thing that is known of a subject. */
interface Thing {
  readonly type: "submission" | "verdict" | "event" | "outcome";
  /** The submission's id, or the event's. */
  readonly id: string;
  readonly data: unknown;
}

/** `assay export`: all that an installation knows of a subject, one thing a line. */
export async function exportSubject(options: ExportOptions, world: World): Promise<Report | undefined> {
  const { out } = options;
  const file = out === undefined ? undefined : openFile(out);
  let lines = 0;
  try {
    await onGround(options, world, async (ground) => {
      for await (const thing of thingsOf(ground)) {
        lines++;
        const line = JSON.stringify(thing);
        if (file === undefined) world.print(line);
        else appendFileSync(file, `${line}\n`);
      }
    });
  } finally {
    if (file !== undefined) closeSync(file);
  }
  if (out === undefined) return undefined;
  return { exitCode: EXIT.fine, json: { file: out, lines }, text: `Wrote ${count(lines, "line")} to ${out}.` };
}

/** For its owner alone; what is there already stays. */
function openFile(path: string): number {
  try {
    return openSync(path, "wx", 0o600);
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw new CommandError(EXIT.usage, `${path} cannot be made (${why}): name a new file by --out.`, { cause: error });
  }
}

async function* thingsOf(ground: Ground): AsyncGenerator<Thing> {
  const ids: SubjectIds = { submissions: new Set(), events: new Set() };
  const { findings, rows } = await findAll(ground, ids);
  const told = new Set<string>();
  const isNew = (thing: Thing) => {
    const text = JSON.stringify(thing);
    return told.size < told.add(text).size;
  };
  for await (const holding of readFindings(ground.redis, ground.keys, findings)) {
    for (const thing of thingsIn(holding)) if (isNew(thing)) yield thing;
  }
  if (ground.archive === undefined) return;
  const reader = createArchiveReader({ pool: ground.archive });
  for (const { id, receivedAt, eventId = "" } of rows) {
    const wanted = { tenant: ground.tenant, id };
    const [verdict, madeFrom, labels] = await Promise.all([
      reader.verdict(wanted),
      reader.madeFrom({ ...wanted, receivedAt }),
      reader.labels(wanted),
    ]);
    const things: Thing[] = [
      ...(verdict === undefined ? [] : [{ type: "verdict", id, data: JSON.parse(verdict.verdict) } as const]),
      ...(madeFrom === undefined ? [] : [{ type: "submission", id, data: JSON.parse(madeFrom.submission) } as const]),
      ...(madeFrom?.event === undefined
        ? []
        : [{ type: "event", id: eventId, data: JSON.parse(madeFrom.event) } as const]),
      ...labels.map(({ outcome, label, occurredAt }) => {
        return { type: "outcome", id, data: { outcome, label, occurred_at: occurredAt } } as const;
      }),
    ];
    for (const thing of things) if (isNew(thing)) yield thing;
  }
}

/** What a holding says that no other one does: what is on its way somewhere is a verdict that is told already. */
function thingsIn({ store, documents, submissionIds: [id = ""] }: Holding): Thing[] {
  const isExported = ["submissions", "verdicts", "events", "verdict_stream", "archive_stream"].includes(store);
  return isExported ? documents.flatMap((document) => thingOf(document, id) ?? []) : [];
}

function thingOf(document: unknown, id: string): Thing | undefined {
  if (!isRecord(document)) return undefined;
  if (isRecord(document["data"])) return { type: "verdict", id, data: document["data"] };
  if ("schema" in document) return { type: "verdict", id, data: document };
  if ("occurred_at" in document) return { type: "outcome", id, data: document };
  if ("kind" in document) return { type: "submission", id, data: document };
  const eventId = document["event_id"] ?? document["requestId"];
  return typeof eventId === "string" ? { type: "event", id: eventId, data: document } : undefined;
}
