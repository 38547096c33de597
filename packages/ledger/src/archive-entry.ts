import { inflateRawSync } from "node:zlib";
import { isRecord, type Label, LABELS } from "@assay/protocol";

/** Of a folder of rulesets as JSON, escaped. */
const MAX_RULESET_BYTES = 256 * 1024 * 1024;

/** Something on its way to the archive. */
export type ArchiveEntry = VerdictEntry | LabelEntry | RulesetEntry | UnreadableEntry;

interface Placed {
  /** Its place in the stream `archive`. */
  readonly entryId: string;
  /** What it counts for in the backlog. */
  readonly bytes: number;
}

/** A verdict, with what it was made from. */
interface VerdictEntry extends Placed {
  readonly type: "verdict";
  /** JSON as it was published. */
  readonly verdict: string;
  /** What it was made from besides its submission and its event. */
  readonly pinned: string;
  /** JSON of the submission: kind, context, facts. */
  readonly submission: string;
  /** The event's JSON, deflated (raw). Absent where there was none. */
  readonly event?: Uint8Array;
  /** The verdict's id in the stream `verdicts`; absent from entries of earlier versions. */
  readonly streamId?: string;
}

/** What became of a submission. */
interface LabelEntry extends Placed {
  readonly type: "label";
  /** The outcome's. */
  readonly id: string;
  readonly submissionId: string;
  readonly outcome?: string;
  readonly label?: Label;
  /** Unix ms. */
  readonly occurredAt: number;
  /** By Redis's clock, unix ms. */
  readonly toldAt: number;
}

/** The files of a ruleset that decided. */
interface RulesetEntry extends Placed {
  readonly type: "ruleset";
  readonly digest: string;
  readonly name: string;
  readonly engine: string;
  /** Path → text. */
  readonly files: Readonly<Record<string, string>>;
  /** Unix ms. */
  readonly loadedAt: number;
}

/** What another version wrote. */
interface UnreadableEntry extends Placed {
  readonly type: "unreadable";
}

/** Reads an entry of the stream `archive`: names and values in turns. */
export function readArchiveEntry(entryId: string, cells: readonly Buffer[]): ArchiveEntry {
  const bytes = cells.reduce((sum, cell, at) => (at % 2 === 0 ? sum : sum + cell.byteLength), 0);
  const field = (name: string) => cells.find((_, at) => at % 2 === 1 && cells[at - 1]?.toString() === name);
  const text = (name: string) => field(name)?.toString();
  const placed = { entryId, bytes };
  const unreadable: UnreadableEntry = { ...placed, type: "unreadable" };
  // What a verdict is made of stands in the entry itself; all else says what it is.
  const type = text("t") ?? "verdict";
  if (type === "verdict") {
    const [verdict, event, streamId] = [text("v"), field("e"), text("s")];
    if (verdict === undefined) return unreadable;
    return {
      ...placed,
      type,
      verdict,
      pinned: text("p") ?? "",
      submission: text("m") ?? "",
      ...(event === undefined || event.length === 0 ? {} : { event }),
      ...(streamId === undefined ? {} : { streamId }),
    };
  }
  if (type === "label") return readLabel(placed, text) ?? unreadable;
  if (type === "ruleset") return readRuleset(placed, text("d"), field("j")) ?? unreadable;
  return unreadable;
}

/** As `tellRuleset` writes it. */
function readRuleset(placed: Placed, digest: string | undefined, body: Buffer | undefined): RulesetEntry | undefined {
  const { name, engine, files, loaded_at: loadedAt } = parse(inflate(body)) ?? {};
  if (digest === undefined || typeof name !== "string" || typeof engine !== "string") return undefined;
  if (!isRecord(files) || typeof loadedAt !== "number") return undefined;
  const texts = Object.fromEntries(Object.entries(files).map(([path, text]) => [path, String(text)]));
  return { ...placed, type: "ruleset", digest, name, engine, files: texts, loadedAt };
}

function inflate(body: Buffer | undefined): string | undefined {
  try {
    return body && inflateRawSync(body, { maxOutputLength: MAX_RULESET_BYTES }).toString();
  } catch {
    return undefined;
  }
}

function readLabel(placed: Placed, text: (name: string) => string | undefined): LabelEntry | undefined {
  const [id, submissionId, told] = [text("i"), text("a"), parse(text("o"))];
  if (id === undefined || submissionId === undefined || told === undefined) return undefined;
  const { outcome, occurred_at: occurredAt } = told;
  const label = LABELS.find((known) => known === told["label"]);
  if (typeof occurredAt !== "number") return undefined;
  return {
    ...placed,
    type: "label",
    id,
    submissionId,
    ...(typeof outcome === "string" ? { outcome } : {}),
    ...(label === undefined ? {} : { label }),
    occurredAt,
    toldAt: Number(text("r")),
  };
}

function parse(json: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json ?? "");
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
