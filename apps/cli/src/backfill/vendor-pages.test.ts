import { createEventSearch, type SearchOutcome, type SearchQuery } from "@assay/fingerprint";
import { anEvent, type Misbehaviour, type StandInApi, startStandInApi } from "@assay/fingerprint/stand-in";
import { isRecord } from "@assay/protocol";
import { afterEach, describe, expect, test } from "vitest";
import { CommandError } from "../report.ts";
import { createPatience } from "./patience.ts";
import { createVendorPages, firstPlace, type Page } from "./vendor-pages.ts";

const HOUR_MS = 3_600_000;
const SINCE = Date.UTC(2026, 10, 20);
const UNTIL = SINCE + 60 * HOUR_MS;

let api: StandInApi | undefined;
afterEach(() => api?.stop());

/** A stand-in with events all over the range, and pages read from it whose waits take no time. */
async function open(count: number, apiKeys = ["a"]) {
  const standIn = await startStandInApi({ apiKeys: ["a", "b"] });
  api = standIn;
  const step = (UNTIL - SINCE) / count;
  const ids = Array.from({ length: count }, (_, n) => `e.${n}`);
  for (const [n, event_id] of ids.entries())
    standIn.add(anEvent({ event_id, timestamp: Math.floor(SINCE + (n + 0.5) * step) }));
  const searches = apiKeys.map((apiKey) => createEventSearch({ apiKey, region: "us", apiUrl: standIn.url }));
  return { ...walkOver(searches), ids, api: standIn };
}

function walkOver(searches: Parameters<typeof createVendorPages>[0]["searches"]) {
  let nowMs = 0;
  const waits: [string, number][] = [];
  const held: string[] = [];
  let why = "";
  const patience = createPatience({
    giveUpAfterMs: 600_000,
    clock: () => nowMs,
    delay: async (ms) => {
      nowMs += ms;
      waits.push([why, ms]);
    },
    onWait: (told) => {
      why = told;
    },
  });
  const rate = { takeTurn: async () => {}, throttled: async (keyId: string) => void held.push(keyId) };
  const pages = createVendorPages({ searches, rate, patience, until: UNTIL });
  async function walk(onPage: (page: Page) => void = () => {}): Promise<string[]> {
    const ids: string[] = [];
    for (let place = firstPlace({ since: SINCE, until: UNTIL }), page: Page; ; place = page.next) {
      page = await pages.read(place);
      ids.push(...page.events.map((event) => (isRecord(event) ? String(event["event_id"]) : "")));
      onPage(page);
      if (page.next === undefined) return ids;
    }
  }
  return { walk, waits, held };
}

describe("createVendorPages", () => {
  test("gives every event of the range, day by day, the oldest first", async () => {
    const { walk, ids } = await open(450);
    const pages: Page[] = [];
    const given = await walk((page) => pages.push(page));
    expect(given).toEqual(ids);
    // Two days of 180 and half a day of 90.
    expect(pages).toHaveLength(2 + 2 + 1);
  });

  test.each<[Misbehaviour, string]>([
    [{ kind: "throttled", as: "html" }, "Fingerprint throttles searches"],
    [{ kind: "failing", status: 503 }, "Fingerprint does not answer searches (http_5xx)"],
    [{ kind: "truncated" }, "Fingerprint does not answer searches (invalid_body)"],
    [{ kind: "wrong_schema", as: "wrong_types" }, "Fingerprint does not answer searches (invalid_body)"],
    [{ kind: "reset" }, "Fingerprint does not answer searches (network)"],
    [{ kind: "answer", status: 504, body: {} }, "Fingerprint takes too long to search"],
  ])("waits ever longer through %o, and loses nothing", async (misbehaviour, why) => {
    const { walk, waits, ids, api: standIn } = await open(250);
    let pages = 0;
    standIn.misbehave(misbehaviour, { times: 3 });
    const given = await walk(() => {
      if (++pages === 2) standIn.misbehave(misbehaviour, { times: 2 });
    });
    expect(new Set(given)).toEqual(new Set(ids));
    expect(waits).toEqual([1000, 2000, 4000, 1000, 2000].map((ms) => [why, ms]));
  });

  test("keeps lookups from a key that is throttled, and not for what only concerns searches", async () => {
    const { walk, held, waits, api: standIn } = await open(1);
    const error = { code: "too_many_requests", message: "too many search requests" };
    standIn.misbehave({ kind: "answer", status: 429, body: { error } });
    await walk();
    expect([held.length, waits.length]).toEqual([0, 1]);
    standIn.misbehave({ kind: "throttled", as: "json" });
    await walk();
    expect([held.length, waits.length]).toEqual([1, 2]);
  });

  test("begins anew at the youngest event where its page is not known any more", async () => {
    const { walk, ids, api: standIn } = await open(500);
    const error = { code: "request_cannot_be_parsed", message: "invalid pagination key" };
    let pages = 0;
    const given = await walk(() => {
      if (++pages === 1) standIn.misbehave({ kind: "answer", status: 400, body: { error } });
    });
    expect(new Set(given)).toEqual(new Set(ids));
    // The one event at which it began.
    expect(given.length - ids.length).toBeLessThanOrEqual(2);
  });

  test("asks by the next key where one is refused, and gives up where all are", async () => {
    const { walk, ids } = await open(5, ["unknown", "b"]);
    expect(await walk()).toEqual(ids);
    const { walk: other } = await open(5, ["unknown"]);
    await expect(other()).rejects.toThrow("secret_api_key_not_found");
  });

  test("gives up after ten minutes of nothing, and says why", async () => {
    const { walk, waits, api: standIn } = await open(5);
    standIn.misbehave({ kind: "failing", status: 500 }, { times: Infinity });
    await expect(walk()).rejects.toThrow("does not answer searches (http_5xx), for 10 minutes or longer.");
    expect(waits.reduce((sum, [, ms]) => sum + ms, 0)).toBe(600_000);
  });

  test("waits as long as the vendor says", async () => {
    const answers: SearchOutcome[] = [
      { status: "throttled", scope: "search", retryAfterMs: 7000 },
      { status: "page", events: [] },
    ];
    const { walk, waits } = walkOver([answering(() => answers.shift() ?? { status: "page", events: [] })]);
    await walk();
    expect(waits).toEqual([["Fingerprint throttles searches", 7000]]);
  });

  test.each<[string, SearchOutcome, string]>([
    ["a query that it cannot read", { status: "rejected" }, "Name a time that it still keeps"],
    ["the same page twice", { status: "page", events: [], paginationKey: "x" }, "the same page again and again"],
  ])("does not go on with %s", async (_, outcome, why) => {
    const { walk, waits } = walkOver([answering(() => outcome)]);
    await expect(walk()).rejects.toThrow(CommandError);
    await expect(walk()).rejects.toThrow(why);
    expect(waits).toEqual([]);
  });

  test("asks for ever less time where a search takes too long, down to a minute", async () => {
    const spans: number[] = [];
    const { walk } = walkOver([
      answering(({ start, end }) => {
        const span = end - start - 2;
        spans.push(span);
        return span > 600_000 ? { status: "too_slow" } : { status: "page", events: [] };
      }),
    ]);
    const first = new Error("The first answer is enough.");
    await expect(
      walk(() => {
        throw first;
      }),
    ).rejects.toBe(first);
    expect(spans).toEqual(Array.from({ length: 9 }, (_, n) => Math.ceil((24 * HOUR_MS) / 2 ** n)));
  });
});

function answering(answer: (query: SearchQuery) => SearchOutcome) {
  return { keyId: "k", search: (query: SearchQuery) => Promise.resolve(answer(query)) };
}
