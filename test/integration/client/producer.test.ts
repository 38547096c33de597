import { type Acceptance, connectForCommands, disconnect, tellAbility, whenReady } from "@assay/ledger";
import { ProblemError } from "@assay/protocol";
import { createProducer, type Producer } from "@assay/client/producer";
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test, vi } from "vitest";
import { startRedis } from "../../support/redis-server.ts";
import { type Installation, lookupArrival, openInstallation, sealedArrival } from "./installation.ts";

let installation: Installation;
let producer: Producer;

beforeEach(async () => {
  installation = await openInstallation(inject("redisUrl"));
  producer = await createProducer(installation);
});

afterEach(async () => {
  await producer.stop();
  await installation.close();
});

describe("createProducer", () => {
  test("rings with the ids alone, in a job that is named by nobody outside", async () => {
    const { id } = await producer.submit(sealedArrival());
    const [job] = await installation.jobs("results");
    expect(job?.data).toEqual({ v: 1, tenant: "0", ids: [id] });
    expect(job?.id).toMatch(/^b-[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(job?.opts).toMatchObject({ attempts: 1, removeOnComplete: true, removeOnFail: { count: 1000 } });
    expect(job?.opts.priority ?? 0).toBe(0);
  });

  test("answers a repetition with the same id and rings once", async () => {
    const arrival = sealedArrival("login-1");
    const first = await producer.submit(arrival);
    const second = await producer.submit(arrival);
    expect([first.status, second.status]).toEqual(["accepted", "duplicate"]);
    expect(second.id).toBe(first.id);
    expect(await installation.jobs("results")).toHaveLength(1);
  });

  test("says that a submission is decided", async () => {
    const arrival = sealedArrival();
    await producer.submit(arrival);
    await installation.decideAll();
    expect(await producer.submit(arrival)).toMatchObject({ id: arrival.id, status: "decided" });
  });

  test("refuses other content under the same key and names what differs", async () => {
    const { id, submission } = lookupArrival("order-7", "event-1");
    await producer.submit({ id, submission });
    const other = { ...submission, event_id: "event-2", context: { flow: "checkout" } };
    await expect(producer.submit({ id, submission: other })).rejects.toMatchObject({
      code: "submission_conflict",
      field: "event_id",
      id,
      message: expect.stringContaining("another event_id, context"),
    });
  });

  test("takes an event id as soon as it can be looked up, though it was refused long before", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const { redis, prefix } = installation;
    await tellAbility(redis, prefix, "0", "lookups", false);
    const informed = await createProducer(installation);
    onTestFinished(() => informed.stop());
    await expect(informed.submit(lookupArrival("order-10", "event-10"))).rejects.toMatchObject({ retryable: false });
    await tellAbility(redis, prefix, "0", "lookups", true);
    vi.advanceTimersByTime(6000);
    expect(await informed.submit(lookupArrival("order-10", "event-10"))).toMatchObject({ status: "accepted" });
  });

  test("answers the repetition of an event id that nothing can bring any more", async () => {
    const { redis, prefix } = installation;
    const arrival = lookupArrival("order-11", "event-11");
    await producer.submit(arrival);
    await tellAbility(redis, prefix, "0", "lookups", false);
    const informed = await createProducer(installation);
    onTestFinished(() => informed.stop());
    expect(await informed.submit(arrival)).toMatchObject({ status: "duplicate" });
  });

  test.each([
    ["refuses an event id that nothing can bring", false, false, "lookups_not_configured"],
    [
      "refuses an event id where no ingress has said that it takes webhooks",
      false,
      undefined,
      "lookups_not_configured",
    ],
    ["takes an event id that a webhook may bring", false, true, "accepted"],
    ["takes an event id that may be looked up", true, false, "accepted"],
    ["takes an event id before any worker has said whether it looks events up", undefined, false, "accepted"],
  ])("%s", async (_, lookups, webhooks, expected) => {
    const { redis, prefix } = installation;
    const told = Object.entries({ lookups, webhooks });
    for (const [ability, isThere] of told) {
      if (isThere === undefined || (ability !== "lookups" && ability !== "webhooks")) continue;
      await tellAbility(redis, prefix, "0", ability, isThere);
    }
    const informed = await createProducer(installation);
    onTestFinished(() => informed.stop());
    const submitted = informed.submit(lookupArrival("order-9", "event-9")).then(
      ({ status }) => status,
      (error: unknown) => (error instanceof ProblemError ? error.code : error),
    );
    expect(await submitted).toBe(expected);
    expect(await installation.jobs("lookups")).toHaveLength(expected === "accepted" ? 1 : 0);
  });

  test("takes a sealed result though no event id could be looked up", async () => {
    await tellAbility(installation.redis, installation.prefix, "0", "lookups", false);
    const informed = await createProducer(installation);
    onTestFinished(() => informed.stop());
    expect(await informed.submit(sealedArrival())).toMatchObject({ status: "accepted" });
  });

  test("lets a burst leave in few jobs of at most 64 ids", async () => {
    const arrivals = Array.from({ length: 300 }, () => sealedArrival());
    await Promise.all(arrivals.map((arrival) => producer.submit(arrival)));
    const jobs = await installation.jobs("results");
    expect(jobs.map((job) => job.data.ids.length).toSorted((a, b) => b - a)).toEqual([64, 64, 64, 64, 44]);
    expect(new Set(jobs.flatMap((job) => job.data.ids))).toEqual(new Set(arrivals.map(({ id }) => id)));
  });

  test("keeps a batch below 256 KiB", async () => {
    await Promise.all(Array.from({ length: 5 }, () => producer.submit(sealedArrival(undefined, 100 * 1024))));
    const jobs = await installation.jobs("results");
    expect(jobs.map((job) => job.data.ids.length).toSorted((a, b) => a - b)).toEqual([1, 2, 2]);
  });

  test("gives every lookup a job of its own, the awaited one first", async () => {
    const [plain, awaited] = [lookupArrival(), lookupArrival()];
    await Promise.all([producer.submit(plain), producer.submit(awaited, { awaited: true })]);
    const jobs = await installation.jobs("lookups");
    const byId = Object.fromEntries(jobs.map((job) => [job.data.ids.join(), job.opts.priority]));
    expect(byId).toEqual({ [plain.id]: 10, [awaited.id]: 1 });
  });

  test("refuses what comes after 2,000 gathered, and accepts all of these", async () => {
    const shed: string[] = [];
    const counting = await createProducer({ ...installation, onShed: (lane) => shed.push(lane) });
    const arrivals = Array.from({ length: 2001 }, () => sealedArrival());
    const settled = await Promise.allSettled(arrivals.map((arrival) => counting.submit(arrival)));
    await counting.stop();
    expect(settled.slice(0, 2000).filter(({ status }) => status === "rejected")).toEqual([]);
    expect(settled[2000]).toMatchObject({ status: "rejected", reason: { code: "overloaded", retryable: true } });
    expect(shed).toEqual(["results"]);
  });

  test("rings again for ids it is told, one lookup a job", async () => {
    await producer.ring("lookups", ["s_a", "s_b"]);
    await producer.ring("results", ["s_a", "s_b"]);
    const lookups = await installation.jobs("lookups");
    const results = await installation.jobs("results");
    expect(lookups).toHaveLength(2);
    expect(Object.fromEntries(lookups.map((job) => [job.data.ids.join(), job.opts.priority]))).toEqual({
      s_a: 10,
      s_b: 10,
    });
    expect(results.map((job) => job.data.ids)).toEqual([["s_a", "s_b"]]);
  });

  test("rings no lookup that still has its job", async () => {
    const arrival = lookupArrival();
    await producer.submit(arrival);
    expect(await producer.ring("lookups", [arrival.id, "s_lost"])).toBe(1);
    expect(await installation.jobs("lookups")).toHaveLength(2);
  });

  test("reports a caller's time that was moved", async () => {
    const clamped: Acceptance[] = [];
    const watching = await createProducer({ ...installation, onClamped: (acceptance) => clamped.push(acceptance) });
    await watching.submit({ ...sealedArrival("early"), receivedAt: Date.now() - 60_000 });
    await watching.submit({ ...sealedArrival("on-time"), receivedAt: Date.now() });
    await watching.stop();
    expect(clamped.map(({ id }) => id)).toEqual([sealedArrival("early").id]);
  });

  test("finishes what is gathered when it is stopped, and refuses what comes later", async () => {
    const accepted: string[] = [];
    void producer.submit(sealedArrival()).then(({ status }) => accepted.push(status));
    await Promise.all([producer.stop(), producer.stop()]);
    expect(accepted).toEqual(["accepted"]);
    expect(await installation.jobs("results")).toHaveLength(1);
    await expect(producer.submit(sealedArrival())).rejects.toMatchObject({ code: "unavailable" });
  });

  test("says within its 2 s that acceptance is unknown while Redis hangs, and accepts the same id later", async () => {
    const server = await startRedis();
    const redis = connectForCommands({ url: server.url });
    const cut = await createProducer({ redis });
    const arrival = sealedArrival();
    await server.kill("SIGSTOP");
    const started = performance.now();
    const problem = await cut.submit(arrival).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(ProblemError);
    expect(problem).toMatchObject({ code: "unavailable", retryable: true, id: arrival.id });
    expect(performance.now() - started).toBeLessThan(2500);
    await server.kill("SIGCONT");
    await whenReady(redis);
    expect((await cut.submit(arrival)).id).toBe(arrival.id);
    await cut.stop();
    await disconnect(redis);
    await server.stop();
  });

  test("waits for a Redis that is not there yet, until its signal aborts", async () => {
    const redis = connectForCommands({ url: "redis://127.0.0.1:1" });
    redis.on("error", () => undefined);
    await expect(createProducer({ redis, signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      name: "TimeoutError",
    });
    redis.disconnect();
  });
});
