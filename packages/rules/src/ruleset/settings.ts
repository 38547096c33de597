import { parseOrigin } from "@assay/protocol";
import type { FaultList } from "./fault.ts";
import { parseDurationMs } from "./duration.ts";
import { type Entry, readChoice, readEntries, readText, readTexts, refuseUnknown } from "./yaml-entries.ts";

/** What the checks of a submission are judged by. */
export interface Settings {
  /** Oldest event that is not stale, in ms. Default 120 s. */
  readonly maxEventAgeMs: number;
  /** The same for single flows. */
  readonly maxEventAgeMsByFlow: ReadonlyMap<string, number>;
  /** Origins, apps and environments an event may come from; an empty list is not judged. */
  readonly allowedOrigins: readonly string[];
  readonly allowedApps: readonly string[];
  readonly allowedEnvironments: readonly string[];
  /** Whether one event may serve once in every flow or once at all. Default `per_flow`. */
  readonly eventUse: (typeof EVENT_USES)[number];
}

/** What a flow is called. */
export const FLOW_PATTERN = /^[a-z0-9_-]{1,64}$/;

export const SETTING_KEYS = [
  "max_event_age",
  "max_event_age_by_flow",
  "allowed_origins",
  "allowed_apps",
  "allowed_environments",
  "event_use",
] as const;
export const EVENT_USES = ["per_flow", "once"] as const;
const DEFAULT_MAX_EVENT_AGE_MS = 120_000;
const LONGEST_EVENT_AGE_MS = 30 * 86_400_000;

/** Reads `settings:`; defaults fill what is missing. */
export function readSettings(entry: Entry | undefined, faults: FaultList): Settings {
  const entries = entry === undefined ? [] : readEntries(entry.value, entry.valueAt, "settings", faults);
  refuseUnknown(entries, "settings", SETTING_KEYS, faults);
  const named = (name: (typeof SETTING_KEYS)[number]) => entries.find((candidate) => candidate.name === name);
  const age = named("max_event_age");
  const eventUse = named("event_use");
  return {
    maxEventAgeMs: (age && readAgeMs(age, faults)) ?? DEFAULT_MAX_EVENT_AGE_MS,
    maxEventAgeMsByFlow: readAgesByFlow(named("max_event_age_by_flow"), faults),
    allowedOrigins: readOrigins(named("allowed_origins"), faults),
    allowedApps: readList(named("allowed_apps"), faults),
    allowedEnvironments: readList(named("allowed_environments"), faults),
    eventUse: (eventUse && readChoice(eventUse, EVENT_USES, faults)) ?? "per_flow",
  };
}

function readAgesByFlow(entry: Entry | undefined, faults: FaultList): Map<string, number> {
  const ages = new Map<string, number>();
  if (entry === undefined) return ages;
  for (const flow of readEntries(entry.value, entry.valueAt, entry.name, faults)) {
    if (!FLOW_PATTERN.test(flow.name)) {
      faults.add(flow.nameAt, "A flow is 1 to 64 characters of a-z, 0-9, _ and -.");
    }
    const ageMs = readAgeMs(flow, faults);
    if (ageMs !== undefined) ages.set(flow.name, ageMs);
  }
  return ages;
}

function readAgeMs(entry: Entry, faults: FaultList): number | undefined {
  const hint = "a time such as 500ms, 120s, 30m, 24h or 2d";
  const text = readText(entry, /./, hint, faults);
  if (text === undefined) return undefined;
  const ageMs = parseDurationMs(text);
  if (ageMs !== undefined && ageMs > 0 && ageMs <= LONGEST_EVENT_AGE_MS) return ageMs;
  faults.add(entry.valueAt, `${entry.name} must be ${hint}, above 0 and at most 30d.`);
  return undefined;
}

function readOrigins(entry: Entry | undefined, faults: FaultList): string[] {
  return (entry === undefined ? [] : readTexts(entry, faults)).map(({ text, at }) => {
    if (refuseWildcard(text, at, faults)) return text;
    const origin = parseOrigin(text);
    if (origin === text) return text;
    const fix = origin === undefined ? "Write it as https://shop.example." : `Did you mean ${origin}?`;
    faults.add(at, `${text} is not an origin: scheme, host and port only. ${fix}`);
    return text;
  });
}

function readList(entry: Entry | undefined, faults: FaultList): string[] {
  return (entry === undefined ? [] : readTexts(entry, faults)).map(({ text, at }) => {
    refuseWildcard(text, at, faults);
    return text;
  });
}

// It would match nothing, and so refuse every visitor.
function refuseWildcard(text: string, at: number, faults: FaultList): boolean {
  const isWild = text.includes("*");
  if (isWild) faults.add(at, `${text} would stand for itself only: there are no wildcards here. Name each one.`);
  return isWild;
}
