import type { Verdict } from "@assay/protocol";
import { askIngress, placeOf } from "./ingress-place.ts";
import { readPastTime } from "./past-time.ts";
import { EXIT, type Report, type World } from "./report.ts";
import { verdictLine } from "./verdict-line.ts";

/** The filters of `GET /v1/verdicts`, as options have them. */
export interface ListVerdictsOptions {
  readonly url?: string;
  readonly userId?: string;
  readonly reference?: string;
  readonly visitorId?: string;
  readonly linkedId?: string;
  readonly eventId?: string;
  readonly action?: string;
  readonly rule?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: string;
  readonly cursor?: string;
  /** Prints the verdicts of all pages, one a line. */
  readonly ndjson?: boolean;
}

interface Page {
  readonly verdicts: readonly Verdict[];
  readonly cursor?: string;
}

/** `assay verdicts list`: a page of what the archive holds, newest first; with `--ndjson` all of it, and no report. */
export async function listVerdicts(options: ListVerdictsOptions, world: World): Promise<Report | undefined> {
  const { paint } = world;
  const place = placeOf(options.url, world, "To find verdicts");
  const read = async (cursor: string | undefined): Promise<Page> => {
    const page: Page = JSON.parse(await askIngress(place, `v1/verdicts?${queryOf(options, cursor, world.now)}`));
    return page;
  };
  const page = await read(options.cursor);
  if (options.ndjson === true) {
    for (let next = page; ; next = await read(next.cursor)) {
      for (const verdict of next.verdicts) world.print(JSON.stringify(verdict));
      if (next.cursor === undefined) return undefined;
    }
  }
  const lines = page.verdicts.map((one) => verdictLine(new Date(one.received_at).toISOString(), one, paint));
  const more = page.cursor === undefined ? [] : ["", `For more: --cursor ${page.cursor}`];
  return {
    exitCode: EXIT.fine,
    json: page,
    text: lines.length === 0 ? "The archive holds no such verdict." : [...lines, ...more].join("\n"),
  };
}

function queryOf(options: ListVerdictsOptions, cursor: string | undefined, now: number): string {
  const timeOf = (name: string, text: string | undefined) =>
    text === undefined ? undefined : String(readPastTime(name, text, now));
  const query = {
    user_id: options.userId,
    reference: options.reference,
    visitor_id: options.visitorId,
    linked_id: options.linkedId,
    event_id: options.eventId,
    action: options.action,
    rule: options.rule,
    since: timeOf("--since", options.since),
    until: timeOf("--until", options.until),
    limit: options.limit,
    cursor,
  };
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, value);
  return given.toString();
}
