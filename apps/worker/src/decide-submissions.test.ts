import type { Loaded, PinRequest, Publication, Published } from "@assay/ledger";
import { loadRulesetFolder, type RulesetFolder } from "@assay/rules";
import { describe, expect, test } from "vitest";
import { type DecidingDeps, decideSubmissions } from "./decide-submissions.ts";
import type { Judgment } from "./report.ts";

const RECEIVED_AT = 1_795_000_000_000;
const ID = `s_${"a".repeat(26)}`;
const event = {
  event_id: `${RECEIVED_AT}.abcdef`,
  timestamp: RECEIVED_AT - 60_000,
  identification: { visitor_id: "visitor1" },
  bot: "bad",
};

const COUNTERS = "counters: { seen: { key: identification.visitor_id, window: 24h } }";
const LIVE = `ruleset: default\ncandidate: next\n${COUNTERS}\nrules: [{ id: often, when: counters.seen > 2, score: 30 }]\n`;
const NEXT = `ruleset: next
settings: { max_event_age: 30s }
counters: { visits: { key: identification.visitor_id, window: 1d } }
thresholds: { block: 40 }
rules:
  - { id: bad_bot, when: bot == "bad" && checks.stale, score: 40 }
  - { id: frequent, when: counters.visits > 2, score: 5 }
  - { id: replay, when: checks.use_count > 6, score: 1 }
`;

function folder(live = LIVE, next = NEXT): RulesetFolder {
  const files = new Map([
    ["default.yaml", live],
    ["next.yaml", next],
  ]);
  return loadRulesetFolder(files, { folder: "rulesets", now: RECEIVED_AT });
}

/** The story around one ready submission, in memory: shared memory answers 3 for every counter, and a seventh use. */
async function decideOne(rulesets: RulesetFolder, deps: Partial<DecidingDeps> = {}) {
  const judgments: Judgment[] = [];
  const requests: PinRequest[] = [];
  const faults: unknown[] = [];
  const work = { id: ID, meta: { kind: "sealed" }, receivedAt: RECEIVED_AT, tries: 1, retries: 0 } as const;
  await decideSubmissions(
    {
      load: async (): Promise<Loaded[]> => [{ state: "ready", id: ID, work }],
      source: async () => ({ status: "event", event, source: "sealed" }),
      readTombstones: async (lists) => ({ generation: "1", erased: lists.map(() => false) }),
      pin: async (asked) => {
        requests.push(...asked);
        return asked.map(({ counters }) => ({
          claim: { reused: false, reusedElsewhere: false, useCount: 7 },
          counters: counters.map(() => ({ value: 3, isWarming: true })),
          pinned: "0|0|7|3w",
        }));
      },
      unpin: async () => undefined,
      publish: async (publications: readonly Publication[]): Promise<Published[]> =>
        publications.map(({ id }) => ({ status: "published", id, streamId: "1-1" })),
      rulesets: {
        current: () => rulesets,
        report: () => ({ rulesets: "", ruleset_reload: "ok" }),
        stop: () => Promise.resolve(),
      },
      hashKey: "installation-key",
      tellRulesets: () => Promise.resolve(),
      isArchived: false,
      report: {
        published: (_, judgment) => void (judgment === undefined || judgments.push(judgment)),
        fault: (error) => void faults.push(error),
      },
      now: () => RECEIVED_AT + 5,
      ...deps,
    },
    [ID],
    { token: "token1", mayAsk: false, signal: new AbortController().signal },
  );
  const [judgment] = judgments;
  if (judgment === undefined) throw new Error("nothing was decided");
  return { ...judgment, verdict: judgment.publication.verdict, requests, faults };
}

/** The folder, with a candidate that cannot do one thing. */
function failing(act: "counting" | "decide"): RulesetFolder {
  const whole = folder();
  return {
    ...whole,
    candidateOf: (ruleset) => {
      const candidate = whole.candidateOf(ruleset);
      const fail = () => {
        throw new Error("broken");
      };
      return candidate && { ...candidate, [act]: fail };
    },
  };
}

describe("decideSubmissions", () => {
  test("judges a candidate by its own settings, and by the same claim and counters", async () => {
    const { verdict, faults } = await decideOne(folder());
    expect(faults).toEqual([]);
    expect(verdict).toMatchObject({
      action: "allow",
      score: 30,
      checks: { stale: false, use_count: 7 },
      candidate: {
        ruleset: { name: "next" },
        action: "block",
        score: 46,
        rules: ["integrity.stale", "bad_bot", "frequent", "replay"],
      },
    });
  });

  test("asks once for a counter of both", async () => {
    const { requests } = await decideOne(folder());
    expect(requests.flatMap(({ counters }) => counters)).toHaveLength(1);
  });

  test("says which counters of the ruleset that decides are young, by its own names", async () => {
    expect((await decideOne(folder())).verdict.degraded).toEqual(["counter_warming:seen"]);
  });

  test("says the same of young counters in whatever order the file has them", async () => {
    const one = "seen: { key: identification.visitor_id, window: 24h }";
    const two = "hourly: { key: identification.visitor_id, window: 1h }";
    const verdictBy = async (counters: string) =>
      (await decideOne(folder(LIVE.replace(/counters: .*/, `counters: { ${counters} }`)))).publication;
    const [verdict, reordered] = [await verdictBy(`${one}, ${two}`), await verdictBy(`${two}, ${one}`)];
    expect(reordered.verdict.ruleset.digest).toBe(verdict.verdict.ruleset.digest);
    expect(reordered.digest).toBe(verdict.digest);
  });

  test("has no candidate where none is named", async () => {
    const { verdict } = await decideOne(folder(LIVE.replace("candidate: next\n", "")));
    expect(verdict).not.toHaveProperty("candidate");
  });

  test.each(["counting", "decide"] as const)(
    "decides though the candidate's %s throws, and tells the fault",
    async (act) => {
      const [{ verdict, faults }, { verdict: unharmed }] = [await decideOne(failing(act)), await decideOne(folder())];
      const { candidate: _, ...rest } = unharmed;
      expect(verdict).toEqual(rest);
      expect(faults).toHaveLength(1);
    },
  );

  test("makes another text of what a verdict was made from when the candidate is another", async () => {
    const [one, two] = [await decideOne(folder()), await decideOne(folder(LIVE, NEXT.replace("> 6", "> 9")))];
    expect(one.publication.pinned).not.toBe(two.publication.pinned);
    expect(one.publication.pinned).toBe((await decideOne(folder())).publication.pinned);
  });

  test("asks a candidate nothing about what cannot be judged", async () => {
    const source = async () => ({ status: "undecided", code: "no_key_opens" }) as const;
    const { verdict, requests } = await decideOne(folder(), { source });
    expect(verdict).toMatchObject({ undecided: { code: "no_key_opens" } });
    expect(verdict).not.toHaveProperty("candidate");
    expect(requests).toEqual([]);
  });

  test("names what the candidate would do in enforce mode though it only observes", async () => {
    const { verdict } = await decideOne(folder(LIVE, `mode: observe\n${NEXT}`));
    expect(verdict.candidate?.action).toBe("block");
  });

  test.each(["ready", "crashed"] as const)(
    "asks nobody about a %s test event, and keeps none of its bytes",
    async (state) => {
      const meta = { kind: "lookup", event_id: "test_undecided_no_key_opens", test: true } as const;
      const work = { id: ID, meta, receivedAt: RECEIVED_AT, tries: 1, retries: 0 };
      const { verdict, requests, faults, publication } = await decideOne(folder(), {
        load: async () => [{ state, id: ID, work }],
        source: () => Promise.reject(new Error("a source was asked")),
      });
      expect(faults).toEqual([]);
      expect(requests).toEqual([]);
      const code = state === "ready" ? "no_key_opens" : "worker_crashed";
      expect(verdict).toMatchObject({ test: true, undecided: { code } });
      expect(publication.deadLetter).toBe(false);
    },
  );
});
