import {
  type Inputs,
  type Loaded,
  type Meta,
  readInputs,
  readMadeFrom,
  readMeta,
  type Publication,
} from "@assay/ledger";
import { type Event, type EventSource, KINDS, UNDECIDED_CODES, type Verdict } from "@assay/protocol";
import { loadRuleset, loadRulesetFolder, type Ruleset, type RulesetFolder } from "@assay/rules";
import { judgeAgain } from "@assay/rules/verdict";
import {
  type Arbitrary,
  array,
  assert,
  asyncProperty,
  boolean,
  constantFrom,
  integer,
  option,
  record,
} from "fast-check";
import { describe, expect, test } from "vitest";
import { decideSubmissions } from "./decide-submissions.ts";
import type { Sourced } from "./sourced.ts";

const RECEIVED_AT = 1_795_000_000_000;
const RULES = `
settings: { max_event_age: 2m, event_use: per_flow }
facts: { age: number, tier: [gold, blue] }
thresholds: { challenge: 20, block: 60 }
lists: { known: { type: string, file: lists/known.txt } }
undecided: { default: review, no_key_opens: block, ruleset_not_found: challenge }
expose: [vpn, ip_address]
`;
const LIVE = `ruleset: default
candidate: next
mode: MODE
${RULES}
counters:
  seen: { key: identification.visitor_id, window: 24h }
  users: { key: ip_address, distinct: context.user_id, window: 1h }
  failed: { key: identification.visitor_id, window: 1h, on: outcome, where: outcome == "failed" }
rules:
  - { id: bad_bot, when: bot == "bad", action: block, message: A robot }
  - { id: often, when: counters.seen > 2 || counters.users > 1, score: 25 }
  - { id: failing, when: counters.failed > 3, score: 30 }
  - { id: young, when: facts.age < 7, score: 40, when_unknown: challenge }
  - { id: share, when: vpn, score: 5, rollout: 50% }
  - { id: listed, when: identification.visitor_id in lists.known, action: allow }
  - { id: tried, when: context.flow == "login" && age(identification.first_seen_at) > 86400, score: 1, mode: shadow }
`;
const NEXT = `ruleset: next
settings: { max_event_age: 30s }
counters: { visits: { key: identification.visitor_id, window: 1d }, mine: { key: ip_address, window: 5m } }
thresholds: { block: 40 }
rules:
  - { id: stale_bot, when: bot == "bad" && checks.stale, score: 40 }
  - { id: frequent, when: counters.visits > 2 && counters.mine > 1, score: 5 }
`;
const LISTS = new Map([["lists/known.txt", "visitor2\n"]]);

function makeFolder(
  mode: string,
  hasCandidate: boolean,
): { rulesets: RulesetFolder; load: (digest: string) => Ruleset } {
  const live = LIVE.replace("MODE", mode).replace(hasCandidate ? "" : "candidate: next\n", "");
  const files = new Map([...LISTS, ["default.yaml", live], ["next.yaml", NEXT]]);
  // As they are loaded later: by their text, one by one, and in whatever order it was when the archive first got it.
  const kept = live.replace(/( {2}seen:.*\n)( {2}users:.*\n)( {2}failed:.*\n)/, "$3$1$2");
  const alone = [kept, NEXT].map((text) => loadRuleset(text, { file: "one.yaml", files: LISTS }));
  return {
    rulesets: loadRulesetFolder(files, { folder: "rulesets", now: RECEIVED_AT }),
    load(digest) {
      const found = alone.find((one) => one.digest === digest);
      if (found === undefined) throw new Error(`No ruleset has the digest ${digest}`);
      return found;
    },
  };
}

const folders = new Map<string, ReturnType<typeof makeFolder>>();

function folderOf(mode: string, hasCandidate: boolean): ReturnType<typeof makeFolder> {
  const key = `${mode} ${hasCandidate}`;
  const known = folders.get(key) ?? makeFolder(mode, hasCandidate);
  folders.set(key, known);
  return known;
}

interface Made {
  readonly publication: Publication;
  readonly event?: Event;
}

/** The story of one submission, in memory. */
async function decideOne(rulesets: RulesetFolder, { id, meta, sourced, inputs, decidedAt }: Story): Promise<Made> {
  const made: Made[] = [];
  const work = { id, meta, receivedAt: RECEIVED_AT, tries: 1, retries: 0 };
  const loaded: Loaded = sourced === "crashed" ? { state: "crashed", id, work } : { state: "ready", id, work };
  await decideSubmissions(
    {
      load: async () => [loaded],
      source: async () => (sourced === "crashed" ? { status: "undecided", code: "internal_error" } : sourced),
      pin: async (asked) => asked.map(({ counters, use }) => inputs(counters.length, use !== undefined)),
      publish: async (publications) =>
        publications.map((one) => ({ status: "published", id: one.id, streamId: "1-1" })),
      rulesets: {
        current: () => rulesets,
        report: () => ({ rulesets: "", ruleset_reload: "ok" }),
        stop: () => Promise.resolve(),
      },
      hashKey: "installation-key",
      tellRulesets: () => Promise.resolve(),
      isArchived: false,
      readTombstones: async (lists) => ({ generation: "1", erased: lists.map(() => false) }),
      unpin: async () => undefined,
      report: { published: (_, judgment) => void (judgment && made.push(judgment)), fault: () => undefined },
      now: () => decidedAt,
    },
    [id],
    { token: "token1", mayAsk: true, signal: new AbortController().signal },
  );
  const [one] = made;
  if (one === undefined) throw new Error("nothing was decided");
  return one;
}

interface Story {
  readonly id: string;
  readonly meta: Meta;
  readonly sourced: Extract<Sourced, { status: "event" | "undecided" }> | "crashed";
  readonly inputs: (counters: number, isClaimed: boolean) => Inputs;
  readonly decidedAt: number;
}

/** Makes the verdict anew from texts alone, as an archive keeps them. */
function again({ publication, event }: Made, meta: Meta, load: (digest: string) => Ruleset) {
  const text = JSON.stringify(publication.verdict);
  const verdict: Verdict = JSON.parse(text);
  const madeFrom = readMadeFrom(`${publication.pinned}|${verdict.undecided?.code ?? ""}`);
  const keptMeta = readMeta(JSON.stringify(meta));
  if (madeFrom === undefined || keptMeta === undefined) throw new Error("This cannot be read.");
  const { candidate, source, inputs } = madeFrom;
  const keptEvent: Event | undefined = event && JSON.parse(JSON.stringify(event));
  const made = judgeAgain({
    verdict,
    meta: keptMeta,
    ruleset: load(madeFrom.ruleset),
    ...(candidate === undefined ? {} : { candidate: load(candidate) }),
    ...(keptEvent === undefined || source === undefined ? {} : { brought: { event: keptEvent, source } }),
    ...(inputs === undefined ? {} : { inputs }),
  });
  return { text, made };
}

const events = record(
  {
    event_id: constantFrom("1795000000000.abcdef", "1795000000000.ghijkl"),
    timestamp: constantFrom(RECEIVED_AT - 1000, RECEIVED_AT - 60_000, RECEIVED_AT - 600_000, RECEIVED_AT + 11_000),
    identification: record({
      visitor_id: constantFrom("visitor1", "visitor2"),
      first_seen_at: option(constantFrom(RECEIVED_AT - 86_400_001), { nil: undefined }),
    }),
    bot: constantFrom("bad", "not_detected"),
    vpn: boolean(),
    replayed: boolean(),
    ip_address: constantFrom("203.0.113.7", "198.51.100.1"),
    linked_id: constantFrom("order-1"),
    sdk: record({ platform: constantFrom("js", "ios") }),
    tags: constantFrom({ "2": "b", "1": { deep: [1, null] } }),
  },
  { requiredKeys: ["event_id", "timestamp"] },
);
const contexts = record(
  {
    flow: constantFrom("login", "checkout"),
    user_id: constantFrom("ann"),
    reference: constantFrom("order-1"),
    ip: constantFrom("203.0.113.7", "192.0.2.1"),
    user_agent: constantFrom("Mozilla/5.0"),
    linked_id: constantFrom("order-1", "order-2"),
    observed_at: constantFrom(RECEIVED_AT - 30_000),
    facts: record({ age: integer({ min: 0, max: 20 }), tier: constantFrom("gold", "none") }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);
const stories = record({
  kind: constantFrom(...KINDS),
  suffix: constantFrom("", "~1"),
  context: option(contexts, { nil: undefined }),
  ruleset: constantFrom(undefined, undefined, "next", "unknown"),
  claimed: option(constantFrom("1795000000000.abcdef"), { nil: undefined }),
  event: events,
  source: constantFrom<EventSource>("sealed", "stored", "lookup", "webhook"),
  degraded: constantFrom(undefined, ["seal_did_not_open"]),
  decideBy: constantFrom(undefined, RECEIVED_AT + 60_000),
  decidedAt: constantFrom(RECEIVED_AT + 20, RECEIVED_AT + 61_000),
  end: option(constantFrom(...UNDECIDED_CODES), { nil: undefined, freq: 4 }),
  claim: constantFrom("0|0|1", "1|0|3", "1|1|7"),
  counts: array(record({ value: integer({ min: 0, max: 12 }), isWarming: boolean() }), { minLength: 8, maxLength: 8 }),
  mode: constantFrom("enforce", "observe"),
  hasCandidate: boolean(),
  broken: constantFrom(undefined, undefined, undefined, "default", "next"),
});
type Drawn = typeof stories extends Arbitrary<infer Value> ? Value : never;

function storyOf(drawn: Drawn): Story {
  const { kind, context, ruleset, claimed, event, source, degraded, decideBy, end, claim, counts } = drawn;
  const way = degraded === undefined ? {} : { degraded };
  return {
    id: `s_${"a".repeat(26)}${drawn.suffix}`,
    meta: {
      kind,
      ...(context === undefined ? {} : { context }),
      ...(ruleset === undefined ? {} : { ruleset }),
      ...(claimed === undefined ? {} : { event_id: claimed }),
    },
    sourced:
      end === "worker_crashed"
        ? "crashed"
        : end === undefined
          ? { status: "event", event, source, ...way, ...(decideBy === undefined ? {} : { decideBy }) }
          : { status: "undecided", code: end, ...way },
    inputs: (counters, isClaimed) =>
      readInputs([
        isClaimed ? claim : "",
        ...counts.slice(0, counters).map(({ value, isWarming }) => `${value}${isWarming ? "w" : ""}`),
      ]),
    decidedAt: drawn.decidedAt,
  };
}

/** The folder, with a ruleset that cannot decide. */
function broken(rulesets: RulesetFolder, name: string | undefined): RulesetFolder {
  const decide = () => {
    throw new Error("broken");
  };
  const harmed = (ruleset: Ruleset) => (ruleset.name === name ? { ...ruleset, decide } : ruleset);
  return {
    ...rulesets,
    named: (given) => {
      const ruleset = rulesets.named(given);
      return ruleset && harmed(ruleset);
    },
    forFlow: (flow) => harmed(rulesets.forFlow(flow)),
    candidateOf: (ruleset) => {
      const candidate = rulesets.candidateOf(ruleset);
      return candidate && harmed(candidate);
    },
  };
}

describe("a verdict that is judged again", () => {
  test("is the same, byte by byte, whatever it was made from", async () => {
    await assert(
      asyncProperty(stories, async (drawn) => {
        const { rulesets, load } = folderOf(drawn.mode, drawn.hasCandidate);
        const story = storyOf(drawn);
        const made = await decideOne(broken(rulesets, drawn.broken), story);
        const { text, made: verdict } = again(made, story.meta, load);
        expect(JSON.stringify(verdict)).toBe(text);
      }),
      { numRuns: 300 },
    );
  }, 30_000);
});
