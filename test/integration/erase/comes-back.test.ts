import { randomBytes } from "node:crypto";
import { signWebhook } from "@assay/fingerprint";
import { heldOf, layAsideVerdict, planDeliveries, redriveLetter, walkLetters } from "@assay/ledger";
import { envelopeOf } from "@assay/protocol";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { assay } from "../../support/assay-command.ts";
import { eventually } from "../../support/eventually.ts";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { startIngress, WEBHOOK_SECRETS } from "../ingress/open-ingress.ts";
import { everyKey, placesWith } from "./everything.ts";
import { aPerson, namesOf, type Person } from "./person.ts";
import { type EraseStage, openEraseStage } from "./stage.ts";

const ERASED = { undecided: { code: "event_erased" }, reasons: [], score: 0 };

describe.skipIf(withoutPostgres)("what is erased", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  const open = async () => ({ stage: await openEraseStage(server), anna: aPerson("198.51.100.77") });
  const erase = async ({ env }: EraseStage, ...whom: string[]) => {
    const { exitCode, stdout, stderr } = await assay(["erase", ...whom, "--yes", "--json"], { env });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    return JSON.parse(stdout);
  };
  const expectNothingOf = async ({ stack }: EraseStage, person: Person) => {
    const held = await everyKey(stack.redis, stack.prefix);
    expect(Object.fromEntries(namesOf(person).map((one) => [one, placesWith(held, one)]))).toEqual(
      Object.fromEntries(namesOf(person).map((one) => [one, []])),
    );
  };

  test("while it waits ends in a verdict that says so, and in no job", async () => {
    const { stage, anna } = await open();
    const { stack } = stage;
    const [event, looked] = [anna.event(), anna.event()];
    const ids = [
      await stack.submitSealed(event, { context: anna.context }),
      await stack.submitLookup(looked.event_id, { context: anna.context }),
      await stack.submitWebhook(looked),
      // Nobody but the seal knows that it is hers.
      await stack.submitSealed(anna.event(), { context: { flow: "login" } }),
    ];
    await erase(stage, "--visitor", anna.visitor);
    await expectNothingOf(stage, { ...anna, eventIds: [] });
    await stage.startWorker();
    for (const id of ids) expect(await stack.verdict(id)).toMatchObject(ERASED);
    await expectNothingOf(stage, anna);
    expect(await stack.published()).toHaveLength(ids.length);
  });

  test("while a worker has it in hand is published by nobody", async () => {
    const { stage, anna } = await open();
    const { stack } = stage;
    let isSourced = false;
    let go = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    await stack.runWorker({
      aroundSource: (source) => async (work, signal, how) => {
        const sourced = await source(work, signal, how);
        isSourced = true;
        await gate;
        return sourced;
      },
    });
    const id = await stack.submitSealed(anna.event(), { context: anna.context });
    await eventually(async () => {
      if (!isSourced) throw new Error("not yet");
      await Promise.resolve();
    });
    await erase(stage, "--user", anna.user);
    go();
    expect(await stack.verdict(id)).toMatchObject(ERASED);
    await expectNothingOf(stage, anna);
  });

  test("does not come back by a submission, a lookup or a seal, and counts nowhere; what is new is judged", async () => {
    const { stage, anna } = await open();
    const { stack } = stage;
    await stage.startWorker();
    const [known, unseen] = [anna.event(), anna.event()];
    for (const event of [known, unseen]) stack.api.add(event);
    await stack.verdict(await stack.submitLookup(known.event_id, { context: anna.context }));
    await erase(stage, "--visitor", anna.visitor);
    const counters = await stack.redis.keys(`${stack.prefix}:*:n:*`);
    for (const event of [known, unseen]) {
      expect(await stack.verdict(await stack.submitLookup(event.event_id))).toMatchObject(ERASED);
      expect(await stack.verdict(await stack.submitSealed(event, { context: anna.context }))).toMatchObject(ERASED);
      expect(await stack.verdict(await stack.submitWebhook(event))).toMatchObject(ERASED);
    }
    await expectNothingOf(stage, anna);
    expect(await stack.redis.keys(`${stack.prefix}:*:n:*`)).toEqual(counters);
    const fresh = anna.event({ timestamp: Date.now() + 1 });
    const verdict = await stack.verdict(await stack.submitSealed(fresh, { context: anna.context }));
    expect(verdict).toMatchObject({ visitor_id: anna.visitor, event_id: fresh.event_id });
  });

  test("is not kept where a lookup is the first to know of an event", async () => {
    const { stage, anna } = await open();
    const { stack } = stage;
    await stage.startWorker();
    const unseen = anna.event();
    stack.api.add(unseen);
    await erase(stage, "--user", anna.user);
    const id = await stack.submitLookup(unseen.event_id, { context: anna.context });
    expect(await stack.verdict(id)).toMatchObject(ERASED);
    await expectNothingOf(stage, anna);
  });

  test("while a deliverer or a consumer has its verdict in hand is kept by neither", async () => {
    const { stage, anna } = await open();
    const { redis, keys, ...stack } = stage.stack;
    const worker = await stage.startWorker();
    const verdict = await stack.verdict(await stack.submitSealed(anna.event(), { context: anna.context }));
    await worker.stop();
    await erase(stage, "--ip", anna.ip);
    const [of, envelope] = [heldOf(verdict), JSON.stringify(envelopeOf(verdict))];
    if (of === undefined) throw new Error("It says that it was erased.");
    expect(await planDeliveries(redis, keys, [{ id: "wh_1", endpoint: "orders", body: envelope, of }])).toBe(0);
    const letter = { group: "crm", entryId: "1-1", id: verdict.id, code: "unreadable", deliveries: 1, at: 1, envelope };
    await layAsideVerdict(redis, keys, letter);
    await expectNothingOf(stage, anna);
  });

  test("does not come back by a dead letter that nobody could open before", async () => {
    const { stage, anna } = await open();
    const { stack } = stage;
    const keyless = await stack.runWorker({ env: { ASSAY_SEALED_KEYS: randomBytes(32).toString("base64") } });
    const id = await stack.submitSealed(anna.event(), { context: { flow: "login" } });
    expect(await stack.verdict(id)).toMatchObject({ undecided: { code: "no_key_opens" } });
    await keyless.stop();
    await erase(stage, "--visitor", anna.visitor);
    await stage.startWorker();
    const { redis, keys } = stack;
    for await (const letter of walkLetters(redis, keys, "input")) {
      expect(await redriveLetter(redis, keys, letter)).toMatchObject({ status: "resubmitted", id: `${id}~1` });
    }
    await stack.producer.ring("background", [`${id}~1`]);
    expect(await stack.verdict(`${id}~1`)).toMatchObject({ ...ERASED, redrive_of: id });
    await expectNothingOf(stage, anna);
  });

  test.each(["all", "none"])(
    "is dropped by the door of webhooks (verdicts: %s), counted, and kept nowhere",
    async (verdicts) => {
      const { stage, anna } = await open();
      const door = await startIngress(inject("redisUrl"), { ASSAY_WEBHOOK_VERDICTS: verdicts });
      onTestFinished(() => door.close());
      const { redis, prefix } = door.installation;
      const env = { ...stage.env, ASSAY_PREFIX: prefix };
      const deliver = (event: object) => {
        const body = Buffer.from(JSON.stringify(event));
        const headers = { "fpjs-event-signature": signWebhook(body, WEBHOOK_SECRETS[0]) };
        return door.request("/v1/webhooks/fingerprint", { method: "POST", headers, body });
      };
      const event = anna.event();
      await deliver(event);
      await erase({ ...stage, env }, "--visitor", anna.visitor);
      for (const old of [event, anna.event({ timestamp: event.timestamp - 5 })]) {
        expect(await deliver(old)).toMatchObject({ status: 202, json: { status: "duplicate" } });
      }
      const held = await everyKey(redis, prefix);
      expect(namesOf(anna).flatMap((name) => placesWith(held, name))).toEqual([]);
      expect((await door.admin("/metrics")).text).toContain('kind="webhook",outcome="erased",app="ingress"} 2');
      expect(await deliver(anna.event({ timestamp: Date.now() + 1 }))).toMatchObject({ json: { status: "accepted" } });
    },
  );
});
