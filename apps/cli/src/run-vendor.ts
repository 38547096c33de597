import { toEvent } from "@assay/fingerprint";
import { type Call, type StandInApi, type StandInOptions, startStandInApi } from "@assay/fingerprint/stand-in";
import { type Event, isEventId } from "@assay/protocol";
import { REFUSALS } from "./event-input.ts";
import { count } from "./faults.ts";
import { parseJson, readText } from "./read-text.ts";
import { CommandError, EXIT, type Report, type World } from "./report.ts";

export interface VendorOptions {
  readonly port: string;
  /** Requests a second for each key, over time. */
  readonly rps: string;
  /** Requests at once for each key. */
  readonly burst: string;
  /** Keys that are known; any when empty. */
  readonly apiKey: readonly string[];
  /** A file with an event a line. */
  readonly events?: string;
  /** Invents an event for an id that is not known. */
  readonly any?: boolean;
}

/** `assay vendor`: stands in for Fingerprint's Server API on loopback, and shows each request, until it is interrupted. */
export async function runVendor(options: VendorOptions, world: World): Promise<Report> {
  const port = numberIn("--port", options.port, { from: 0, to: 65_535 });
  const rps = numberIn("--rps", options.rps, { from: 1, to: 1_000_000 });
  const burst = numberIn("--burst", options.burst, { from: 1, to: 1_000_000 });
  const events = options.events === undefined ? [] : await readEvents(options.events);
  const startedAt = performance.now();
  let requests = 0;
  const api = await start({
    port,
    rateLimit: { rps, burst },
    inventsEvents: options.any === true,
    ...(options.apiKey.length === 0 ? {} : { apiKeys: options.apiKey }),
    onCall(call) {
      requests++;
      world.print(showCall(call, startedAt, world));
    },
  });
  for (const event of events) api.add(event);
  const interrupted = world.interrupted();
  const others = options.any === true ? "an invented, ordinary event" : "event_not_found";
  world.print(
    [
      `A stand-in for Fingerprint's Server API answers at ${world.paint("bold", api.url)}.`,
      `Each key may make ${count(rps, "request")} a second, and ${burst} at once.`,
      `It knows ${count(events.length, "event")}. Any other id is answered with ${others}.`,
      "Point a worker at it:",
      `  ASSAY_FINGERPRINT_API_URL=${api.url}`,
      `  ASSAY_FINGERPRINT_API_KEYS=${options.apiKey[0] ?? "any-key"}`,
      "",
    ].join("\n"),
  );
  await interrupted;
  await api.stop();
  return { exitCode: EXIT.fine, json: { requests }, text: `Stopped after ${count(requests, "request")}.` };
}

async function start(options: StandInOptions): Promise<StandInApi> {
  try {
    return await startStandInApi(options);
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new CommandError(EXIT.usage, `Port ${options.port} cannot be had: ${why}. Choose another by --port.`, {
      cause: error,
    });
  }
}

async function readEvents(path: string): Promise<Event[]> {
  const lines = (await readText(path)).split("\n");
  return lines.flatMap((line, index) => (line.trim() === "" ? [] : [readEvent(line, `${path}:${index + 1}`)]));
}

function readEvent(line: string, place: string): Event {
  const read = toEvent(parseJson(line, place));
  if (read.ok) return read.event;
  throw new CommandError(EXIT.usage, `${place} is no event of Fingerprint's: ${REFUSALS[read.reason]}.`);
}

function showCall({ eventId, isSearch, at, keyId, status }: Call, startedAt: number, { paint }: World): string {
  const time = `${((at - startedAt) / 1000).toFixed(3)} s`.padStart(12);
  const answer = paint(status === 200 ? "green" : "yellow", String(status ?? "-"));
  const what = isSearch === true ? "search" : isEventId(eventId) ? eventId : "-";
  return `${time}  ${answer}  ${what}  ${keyId === undefined ? "no key" : `key ${keyId}`}`;
}

function numberIn(option: string, text: string, { from, to }: { readonly from: number; readonly to: number }): number {
  const number = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= from && number <= to) return number;
  throw new CommandError(EXIT.usage, `${option} ${text} is no whole number from ${from} to ${to}.`);
}
