import { createServer } from "node:http";
import { seal } from "@assay/fingerprint";
import { type Event, queuePrefix, type Verdict } from "@assay/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { aBot, anEvent, anEventId } from "../../support/events.ts";
import { startFingerprintApi } from "../../support/fingerprint-api.ts";
import { POISON } from "../../support/poison.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";
import { put, rulesetsOf, tenantsFile } from "./tenant-files.ts";

const stops: (() => Promise<void>)[] = [];
let eu: WorkerStack;
let us: WorkerStack;

beforeEach(async () => {
  eu = await openWorkerStack({ tenant: "eu" });
  stops.push(() => eu.stop());
  us = await openWorkerStack({ tenant: "us", prefix: eu.prefix });
  stops.push(() => us.stop());
});
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** What a worker of these tenants needs. Each has its own keys and rulesets, and what is given. */
function envOf(tenants: { readonly eu?: object; readonly us?: object }): Record<string, string> {
  const stacks = { eu, us };
  const entries = Object.entries(tenants).map(([name, more]) => {
    const { env } = name === "eu" ? stacks.eu : stacks.us;
    return [name, { sealed_keys: [env["ASSAY_SEALED_KEYS"]], rulesets: rulesetsOf(`bot_of_${name}`), ...more }];
  });
  return { ASSAY_SEALED_KEYS: "", ASSAY_TENANTS_FILE: tenantsFile(Object.fromEntries(entries)) };
}

const rulesOf = ({ reasons }: Verdict) => reasons.map(({ rule }) => rule);
const adminText = async (port: number, path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text();

describe("a worker of two tenants", () => {
  test("opens each one's seals with its own keys alone, and decides by its own rulesets", async () => {
    await eu.runWorker({ env: envOf({ eu: {}, us: {} }) });
    const own = [await eu.submitSealed(aBot()), await us.submitSealed(aBot())];
    const foreign = [
      await eu.submitSealed(seal(aBot(), us.sealedKey)),
      await us.submitSealed(seal(aBot(), eu.sealedKey)),
    ];
    expect(rulesOf(await eu.verdict(own[0] ?? ""))).toEqual(["bot_of_eu"]);
    expect(rulesOf(await us.verdict(own[1] ?? ""))).toEqual(["bot_of_us"]);
    const undecided = { undecided: { code: "no_key_opens" } };
    expect(await eu.verdict(foreign[0] ?? "")).toMatchObject(undecided);
    expect(await us.verdict(foreign[1] ?? "")).toMatchObject(undecided);
  });

  test("keeps the same event under the same Idempotency-Key apart: claim, counters, verdicts, stream", async () => {
    const counting = (name: string) =>
      rulesetsOf(
        `bot_of_${name}`,
        "  - { id: seen_twice, when: counters.seen > 1, score: 50 }\ncounters:\n  seen: { key: identification.visitor_id, window: 1h }\n",
      );
    await eu.runWorker({ env: envOf({ eu: { rulesets: counting("eu") }, us: { rulesets: counting("us") } }) });
    const event = anEvent();
    const options = { key: "same-operation", context: { flow: "login" } };
    const ids = [await eu.submitSealed(event, options), await us.submitSealed(event, options)];
    expect(new Set(ids).size).toBe(2);
    for (const [index, stack] of [eu, us].entries()) {
      const verdict = await stack.verdict(ids[index] ?? "");
      expect(verdict.checks).toMatchObject({ reused: false, use_count: 1 });
      expect(rulesOf(verdict)).toEqual([]);
      expect((await stack.published()).map(({ id }) => id)).toEqual([ids[index]]);
      expect(await stack.redis.lrange(stack.keys.eventVerdicts(event.event_id), 0, "-1")).toEqual([ids[index]]);
    }
    // A second use in one tenant is one there, and still none in the other.
    const again = await eu.verdict(await eu.submitSealed(event, { ...options, key: "second-operation" }));
    expect(again.checks).toMatchObject({ reused: true, use_count: 2 });
    expect(await us.redis.hget(us.keys.claim(event.event_id, "login"), "uses")).toBe("1");
  });

  test("gives no tenant the event that another's webhook or lookup brought", async () => {
    const api = await startFingerprintApi();
    stops.push(() => api.stop());
    const fingerprint = (key: string) => ({ fingerprint: { api_keys: [key], api_url: api.url } });
    await eu.runWorker({ env: envOf({ eu: fingerprint("key-eu"), us: fingerprint("key-us") }) });
    const event = anEvent({ event_id: anEventId(Date.now() - 60_000) });
    await eu.verdict(await eu.submitWebhook(event));
    expect(await eu.verdict(await eu.submitLookup(event.event_id))).toMatchObject({ event_source: "stored" });
    expect(api.asked).toEqual([]);
    expect(await us.verdict(await us.submitLookup(event.event_id))).toMatchObject({
      undecided: { code: "event_not_found" },
    });
    expect(api.asked).toEqual([event.event_id]);
  });

  test("looks up for one tenant while the vendor hangs for the other", async () => {
    const api = await startFingerprintApi();
    stops.push(() => api.stop());
    let asked = 0;
    const hanging = createServer(() => void asked++);
    await new Promise<void>((resolve) => hanging.listen(0, "127.0.0.1", resolve));
    stops.push(async () => {
      hanging.closeAllConnections();
      hanging.close();
    });
    const address = hanging.address();
    const hangingUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    const env = envOf({
      eu: { fingerprint: { api_keys: ["key-eu"], api_url: hangingUrl } },
      us: { fingerprint: { api_keys: ["key-us"], api_url: api.url } },
    });
    await eu.runWorker({ env: { ...env, ASSAY_CONCURRENCY: "1" } });
    await Promise.all(Array.from({ length: 10 }, () => eu.submitLookup(anEventId())));
    await eventually(() => asked > 0);
    const event = aBot();
    api.add(event);
    expect(rulesOf(await us.verdict(await us.submitLookup(event.event_id), { timeoutMs: 4000 }))).toEqual([
      "bot_of_us",
    ]);
    expect(await eu.redis.zcard(eu.keys.pending("lookups"))).toBe(10);
  });

  test("tells the numbers of both together, and the rulesets of each", { timeout: 120_000 }, async () => {
    for (const { redis, keys } of [eu, us]) {
      await redis.xgroup("CREATE", keys.verdicts(), "orders", "0", "MKSTREAM");
      await redis.xadd(keys.deadLetters("pipeline"), "*", "code", "22P05");
      await redis.hset(keys.deadLetterTally("delivery"), "dropped", 3);
    }
    const { adminPort } = await eu.runWorker({ env: envOf({ eu: {}, us: {} }) });
    for (const stack of [eu, us]) await stack.verdict(await stack.submitSealed(new Uint8Array(64)));
    const expected = [
      /^assay_dead_letters\{kind="input",app="worker"\} 2$/m,
      /^assay_dead_letters\{kind="pipeline",app="worker"\} 2$/m,
      /^assay_dead_letters\{kind="delivery",app="worker"\} 0$/m,
      /^assay_dead_letters_dropped\{kind="delivery",app="worker"\} 6$/m,
      /^assay_stream_lag\{group="orders",app="worker"\} 2$/m,
      /^assay_pending\{lane="results",app="worker"\} 0$/m,
      /^assay_queue_jobs\{queue="lookups",state="waiting",app="worker"\} 0$/m,
      /^assay_ruleset_info\{name="default",digest="\w+",origin="default.yaml",tenant="eu",app="worker"\} 1$/m,
      /^assay_ruleset_info\{name="default",digest="\w+",origin="default.yaml",tenant="us",app="worker"\} 1$/m,
    ];
    await eventually(
      async () => {
        const text = await adminText(adminPort, "/metrics");
        expect(expected.filter((line) => !line.test(text))).toEqual([]);
      },
      { timeoutMs: 40_000 },
    );
    expect(await adminText(adminPort, "/metrics")).not.toContain("lookups-");
    expect(await adminText(adminPort, "/readyz")).toMatch(/eu: default \w+ \(default\.yaml\); us: default/);
  });

  test("rings again for the lost jobs of every tenant", { timeout: 120_000 }, async () => {
    const lost = await Promise.all([eu, us].map((stack) => loseJob(stack, anEvent())));
    await eu.runWorker({ env: envOf({ eu: {}, us: {} }) });
    for (const [index, stack] of [eu, us].entries()) {
      expect(await stack.verdict(lost[index] ?? "", { timeoutMs: 40_000 })).toMatchObject({ kind: "webhook" });
    }
  });

  test("when it is killed, leaves suspects that keep their tenant", { timeout: 240_000 }, async () => {
    const env = envOf({ eu: {}, us: {} });
    const file = "test/support/poison-worker.ts";
    const innocent = [await eu.submitSealed(aBot()), await us.submitSealed(aBot())];
    const poison = await us.submitSealed(anEvent({ linked_id: POISON }));
    const first = await eu.startWorker({ file, env });
    await first.line(() => false).catch(() => undefined);
    await eu.startWorker({ file, env });
    const within = { timeoutMs: 120_000 };
    expect(await us.verdict(poison, within)).toMatchObject({ undecided: { code: "worker_crashed" } });
    expect(rulesOf(await eu.verdict(innocent[0] ?? "", within))).toEqual(["bot_of_eu"]);
    expect(rulesOf(await us.verdict(innocent[1] ?? "", within))).toEqual(["bot_of_us"]);
    expect(await eu.published()).toHaveLength(1);
    expect(await us.published()).toHaveLength(2);
  });
});

describe("a job of a tenant that a worker does not know", () => {
  test("is not lost, and is decided by a worker that knows it", async () => {
    const stranger = await eu.startWorker({ env: envOf({ eu: {} }) });
    const id = await us.submitSealed(aBot());
    const line = await stranger.line(({ msg }) => String(msg).includes("a tenant is not known here"));
    expect(line).toMatchObject({ tenant: "us", level: "warn" });
    const delayed = () => us.redis.zcard(`${queuePrefix(us.prefix)}:results:delayed`);
    await eventually(async () => (await delayed()) === 1);
    await stranger.stop();
    await us.runWorker({ env: envOf({ eu: {}, us: {} }) });
    expect(rulesOf(await us.verdict(id))).toEqual(["bot_of_us"]);
  });
});

describe("a worker whose tenants are at fault", () => {
  test("does not start, and tells every folder's faults", async () => {
    const broken = (rule: string) => ({
      rulesets: rulesetsOf(rule, `  - { id: ${rule}_2, when: bott == 1, score: 1 }\n`),
    });
    await expect(eu.runWorker({ env: envOf({ eu: broken("a"), us: broken("b") }) })).rejects.toMatchObject({
      code: "rulesets_unusable",
      faults: [expect.stringContaining("bott"), expect.stringContaining("bott")],
    });
    const env = { ASSAY_TENANTS_FILE: put("tenants.yaml", "tenants: { EU: {} }") };
    await expect(eu.runWorker({ env })).rejects.toThrow("tenants: has a name");
  });
});

/** Hands a webhook in whose job is lost, long ago. */
async function loseJob(stack: WorkerStack, event: Event): Promise<string> {
  const id = await stack.submitWebhook(event);
  await stack.redis.del(`${queuePrefix(stack.prefix)}:background:wait`);
  await stack.redis.zadd(stack.keys.pending("background"), Date.now() - 61_000, id);
  return id;
}
