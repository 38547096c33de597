import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Context, type Event, queuePrefix, type Verdict } from "@assay/protocol";
import { createSuspectProcess } from "@assay/worker";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { anEvent } from "../../support/events.ts";
import { startRedis } from "../../support/redis-server.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";

const SEEN = "{ key: identification.visitor_id, window: 24h }";
const COUNTERS = `
  seen: ${SEEN}
  signups: { key: identification.visitor_id, where: context.flow == "signup", window: 24h }
  accounts: { key: identification.visitor_id, distinct: context.user_id, window: 24h }
  pairs: { key: [identification.visitor_id, context.user_id], window: 24h }`;

/** A ruleset that exposes each of its counters by a rule of its own, which hits at any value of a test. */
function ruleset({ name = "default", counters = COUNTERS, names = ["seen", "signups", "accounts", "pairs"] } = {}) {
  const rules = names.map((counter) => `  - { id: ${counter}, when: counters.${counter} < 999, score: 1 }`);
  return [`ruleset: ${name}`, `counters:${counters}`, "rules:", ...rules, ""].join("\n");
}

let folder: string;
const stops: (() => Promise<void>)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "assay-counters-"));
  put("default.yaml", ruleset());
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const stop of stops.splice(0).toReversed()) await stop();
  rmSync(folder, { recursive: true, force: true });
});

function put(file: string, text: string): void {
  writeFileSync(join(folder, file), text);
}

async function openStack(redisUrl?: string): Promise<WorkerStack> {
  const env = { ASSAY_RULESETS: folder };
  const stack = await openWorkerStack(redisUrl === undefined ? { env } : { env, redisUrl });
  stops.push(() => stack.stop());
  return stack;
}

/** Every counter that the verdict's rules told, by name. */
function countersOf({ reasons }: Verdict): Record<string, unknown> {
  return Object.fromEntries(reasons.map(({ rule, evidence }) => [rule, evidence[`counters.${rule}`]]));
}

/** What one visitor hands in, each time with an event of its own. */
function aVisitor(stack: WorkerStack) {
  const { identification = {} } = anEvent();
  const event = (changes: Partial<Event> = {}) => anEvent({ identification, ...changes });
  const submit = (context: Context = {}, own = event()) => stack.submitSealed(own, { context });
  const decide = async (context?: Context, own?: Event) => await stack.verdict(await submit(context, own));
  return {
    event,
    submit,
    decide,
    count: async (context?: Context, own?: Event) => countersOf(await decide(context, own)),
  };
}

describe("counters", () => {
  test("hold what a visitor did before, and what is judged", async () => {
    const stack = await openStack();
    await stack.runWorker();
    const [visitor, other] = [aVisitor(stack), aVisitor(stack)];
    expect(await visitor.count({ flow: "signup", user_id: "anna" })).toEqual({
      seen: 1,
      signups: 1,
      accounts: 1,
      pairs: 1,
    });
    expect(await visitor.count({ flow: "login", user_id: "bert" })).toEqual({
      seen: 2,
      signups: 1,
      accounts: 2,
      pairs: 1,
    });
    expect(await visitor.count({ flow: "signup", user_id: "anna" })).toEqual({
      seen: 3,
      signups: 2,
      accounts: 2,
      pairs: 2,
    });
    expect(await other.count({ flow: "login" })).toEqual({ seen: 1, signups: 0, accounts: 0 });
  });

  test.each(["first", "last"])("count an event once when its webhook comes %s", async (order) => {
    const stack = await openStack();
    await stack.runWorker();
    const visitor = aVisitor(stack);
    const event = visitor.event();
    const byWebhook = async () => countersOf(await stack.verdict(await stack.submitWebhook(event)));
    const byCaller = () => visitor.count({}, event);
    for (const door of order === "first" ? [byWebhook, byCaller] : [byCaller, byWebhook]) {
      expect((await door())["seen"]).toBe(1);
    }
    expect((await visitor.count())["seen"]).toBe(2);
  });

  test("do not count an event once more in another flow, nor a replay of it at all", async () => {
    const stack = await openStack();
    await stack.runWorker();
    const visitor = aVisitor(stack);
    const event = visitor.event();
    expect(await visitor.count({ flow: "signup", user_id: "anna" }, event)).toMatchObject({ seen: 1, accounts: 1 });
    expect(await visitor.count({ flow: "login", user_id: "anna" }, event)).toMatchObject({ seen: 1, accounts: 1 });
    const replay = await visitor.decide({ flow: "signup", user_id: "bert" }, event);
    expect(replay.checks.reused).toBe(true);
    expect(countersOf(replay)).toMatchObject({ seen: 1, signups: 1, accounts: 1, pairs: 0 });
  });

  test("of one definition are one in two rulesets, whatever they are called", async () => {
    put("other.yaml", ruleset({ name: "other", counters: ` { visits: ${SEEN} }`, names: ["visits"] }));
    put("_routes.yaml", "{ checkout: other, '*': default }\n");
    const stack = await openStack();
    await stack.runWorker();
    const visitor = aVisitor(stack);
    expect((await visitor.count({ flow: "login" }))["seen"]).toBe(1);
    expect(await visitor.count({ flow: "checkout" })).toEqual({ visits: 2 });
    expect((await visitor.count({ flow: "login" }))["seen"]).toBe(3);
  });

  test("start anew when their definition is edited, and say that they are young", async () => {
    const stack = await openStack();
    await stack.runWorker();
    const visitor = aVisitor(stack);
    const startedAt = Date.now() - 4000;
    const sealed = { context: {}, receivedAt: startedAt };
    const first = await stack.verdict(await stack.submitSealed(visitor.event(), sealed));
    expect(first.degraded).toEqual(["counter_warming:accounts", "counter_warming:seen", "counter_warming:signups"]);
    put(
      "default.yaml",
      ruleset({ counters: ` { seen: { key: identification.visitor_id, window: 1s } }`, names: ["seen"] }),
    );
    const edited = await eventually(async () => {
      const verdict = await aVisitor(stack).decide();
      if (verdict.coverage.rules !== 1) throw new Error("The edited ruleset does not decide yet.");
      return verdict;
    });
    expect(edited.degraded).toEqual(["counter_warming:seen"]);
    expect((await visitor.count())["seen"]).toBe(1);
    await eventually(async () => (await visitor.decide()).degraded === undefined);
  });

  test("are what they were after Redis was killed, and count what it held up once", { timeout: 120_000 }, async () => {
    const redis = await startRedis();
    stops.push(() => redis.stop());
    const stack = await openStack(redis.url);
    const visitor = aVisitor(stack);
    await stack.runWorker();
    for (let n = 1; n <= 5; n++) expect((await visitor.count())["seen"]).toBe(n);
    await redis.kill("SIGKILL");
    await redis.restart();
    await eventually(() => stack.redis.status === "ready");
    const ids = await Promise.all(Array.from({ length: 5 }, () => visitor.submit()));
    const seen = await Promise.all(ids.map(async (id) => countersOf(await stack.verdict(id))["seen"]));
    expect(seen.map(Number).toSorted((a, b) => a - b)).toEqual([6, 7, 8, 9, 10]);
    expect((await visitor.count())["seen"]).toBe(11);
  });

  test("make no two verdicts differ when two processes decide the same at once", async () => {
    const stack = await openStack();
    for (const [name, value] of Object.entries({ ...stack.env, LOG_VERDICTS: "none" })) vi.stubEnv(name, value);
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let loaded = 0;
    const slow = await stack.runWorker({
      aroundSource: (source) => async (work, signal, options) => {
        loaded++;
        await held;
        return await source(work, signal, options);
      },
    });
    const visitor = aVisitor(stack);
    const ids = await Promise.all(Array.from({ length: 20 }, (_, n) => visitor.submit({ user_id: `user${n}` })));
    await eventually(() => loaded === 20);
    await createSuspectProcess()({ tenant: "0", ids });
    const before = await Promise.all(ids.map((id) => stack.verdict(id)));
    letGo();
    await eventually(async () => (await stack.redis.llen(`${queuePrefix(stack.prefix)}:results:active`)) === 0);
    const metrics = await (await fetch(`http://127.0.0.1:${slow.adminPort}/metrics`)).text();
    expect(metrics).not.toContain("assay_verdict_conflicts_total{");
    expect(await Promise.all(ids.map((id) => stack.verdict(id)))).toEqual(before);
    const accounts = before.map((verdict) => Number(countersOf(verdict)["accounts"]));
    expect(accounts.toSorted((a, b) => a - b)).toEqual(ids.map((_, n) => n + 1));
    expect(await visitor.count({ user_id: "last" })).toMatchObject({ seen: 21, accounts: 21, pairs: 1 });
    expect(await stack.published()).toHaveLength(21);
  });
});
