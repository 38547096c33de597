import { MAX_SIGHTING_NAME, type Noticed } from "@assay/ledger";
import { EVENT_FIELDS, type Event, isRecord, parseOrigin, type Verdict } from "@assay/protocol";

type Seen = Noticed["seen"][number];
type MinuteName = Noticed["counts"][number]["name"];

/**
 * What this process notices of the events that it decides, for whoever asks how the installation fares. It is kept in
 * memory and written down now and then: neither Redis nor the work waits for it.
 */
export interface Sightings {
  /** A verdict was published. */
  published(verdict: Verdict, event: Event | undefined): void;
  /** A sealed result was opened by a key, or not for a reason. */
  unsealed(by: { readonly keyId: string } | { readonly code: string }): void;
  /** Fingerprint answered a lookup. */
  lookedUp(status: string): void;
  /** Writes down what was noticed since the last time. Never rejects. */
  flush(): Promise<void>;
  /** Writes down the last. Safe to call twice. */
  stop(): Promise<void>;
}

export interface SightingsOptions {
  /** Writes down; what a rejection leaves behind comes with the next. */
  readonly write: (noticed: Noticed) => Promise<void>;
  /** Default 10,000. */
  readonly everyMs?: number;
}

const EVERY_MS = 10_000;
/** Names that are remembered between two writings; what browsers invent beyond that is not noticed. */
const MOST_NAMES = 2000;
/** Events whose signals are looked at between two writings: a signal that is there at all is in one of them. */
const MOST_LOOKED_AT = 30;
// What a name may hold: it is printed on terminals.
const PLAIN = /^[\x21-\x7e]+$/;
const SIGNALS = new Set(Object.keys(EVENT_FIELDS));
const UNKNOWN_PLATFORM = "unknown";

export function createSightings({ write, everyMs = EVERY_MS }: SightingsOptions): Sightings {
  let notebook = createNotebook();
  let writing: Promise<void> | undefined;
  let stopping: Promise<void> | undefined;
  const timer = setInterval(() => void flush(), everyMs).unref();

  async function flush(): Promise<void> {
    await (writing ??= writeDown().finally(() => {
      writing = undefined;
    }));
  }

  async function writeDown(): Promise<void> {
    const full = notebook;
    notebook = createNotebook();
    try {
      if (!full.isEmpty()) await write(full.noticed());
    } catch {
      // Whether it was written is not known. Counted twice is better than never seen.
      notebook.add(full.noticed());
    }
  }

  function published(verdict: Verdict, event: Event | undefined): void {
    notebook.see("kind", verdict.kind);
    notebook.count("verdicts");
    const code = verdict.undecided?.code;
    if (verdict.kind === "lookup") notebook.count("lookup_verdicts");
    if (code === "lookup_saturated" || code === "lookup_unavailable") notebook.count(code);
    if (event === undefined) return;
    const platform = event.sdk?.platform ?? UNKNOWN_PLATFORM;
    notebook.see("platform", platform);
    notebook.see("origin", platform === "js" ? parseOrigin(event.url ?? "") : undefined);
    notebook.see("app", event.bundle_id ?? event.package_name);
    notebook.see("environment", event.environment_id);
    // Nobody says when a backfilled event was handed in.
    if (verdict.kind !== "backfill") notebook.age(verdict.received_at - event.timestamp);
    if (notebook.looksAgain()) eachSignal(event, "", (path) => notebook.see("signal", `${platform}/${path}`));
  }

  return {
    published,
    unsealed: (by) => notebook.see("seal", "keyId" in by ? `ok/${by.keyId}` : by.code),
    lookedUp(status) {
      notebook.see("lookup", status);
      notebook.count("asked");
      if (status === "throttled") notebook.count("throttled");
    },
    flush,
    stop() {
      clearInterval(timer);
      return (stopping ??= (writing ?? Promise.resolve()).then(flush));
    },
  };
}

function createNotebook() {
  const seen = new Map<string, { kind: Seen["kind"]; name: string; count: number }>();
  const counts = new Map<MinuteName, number>();
  let youngestMs = Number.POSITIVE_INFINITY;
  let lookedAt = 0;

  function see(kind: Seen["kind"], whole: string | undefined, more = 1): void {
    if (whole === undefined || !PLAIN.test(whole)) return;
    const name = whole.slice(0, MAX_SIGHTING_NAME);
    const entry = seen.get(`${kind}:${name}`);
    if (entry !== undefined) entry.count += more;
    else if (seen.size < MOST_NAMES) seen.set(`${kind}:${name}`, { kind, name, count: more });
  }
  const count = (name: MinuteName, more = 1) => void counts.set(name, (counts.get(name) ?? 0) + more);
  const age = (ms: number) => {
    youngestMs = Math.min(youngestMs, ms);
  };
  return {
    see,
    count,
    age,
    looksAgain: () => ++lookedAt <= MOST_LOOKED_AT,
    isEmpty: () => seen.size === 0 && counts.size === 0,
    add(noticed: Noticed): void {
      for (const each of noticed.seen) see(each.kind, each.name, each.count);
      for (const each of noticed.counts) count(each.name, each.count);
      if (noticed.youngestMs !== undefined) age(noticed.youngestMs);
    },
    noticed: (): Noticed => ({
      seen: [...seen.values()],
      counts: [...counts].map(([name, times]) => ({ name, count: times })),
      ...(Number.isFinite(youngestMs) ? { youngestMs } : {}),
    }),
  };
}

/** Calls for each signal of the catalogue that an event has. Tells nothing of their values. */
function eachSignal(fields: Readonly<Record<string, unknown>>, below: string, tell: (path: string) => void): void {
  for (const key of Object.keys(fields)) {
    const path = below + key;
    const value = fields[key];
    if (value === undefined || !SIGNALS.has(path)) continue;
    tell(path);
    if (isRecord(value)) eachSignal(value, `${path}.`, tell);
  }
}
