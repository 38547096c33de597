import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { anEvent } from "../../support/events.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";

let stack: WorkerStack;
beforeEach(async () => {
  stack = await openWorkerStack();
  await stack.runWorker();
});
afterEach(() => stack.stop());

const OWNER = { flow: "login", ip: "203.0.113.7", user_agent: "owner" };

/** An event that its owner's own browser made. */
function ownEvent() {
  return anEvent({ ip_address: OWNER.ip, user_agent: OWNER.user_agent });
}

describe("claims", () => {
  test("the first use of an event is no replay", async () => {
    const { checks } = await stack.verdict(await stack.submitSealed(ownEvent(), { context: OWNER }));
    expect(checks).toMatchObject({ reused: false, reused_elsewhere: false, use_count: 1 });
  });

  test("a second use in the same flow is reused", async () => {
    const event = ownEvent();
    await stack.verdict(await stack.submitSealed(event, { context: OWNER }));
    const second = await stack.verdict(await stack.submitSealed(event, { context: OWNER }));
    expect(second.checks).toMatchObject({ reused: true, reused_elsewhere: false, use_count: 2 });
    expect(second.action).toBe("challenge");
  });

  test("a use in another flow is not reused", async () => {
    const event = ownEvent();
    await stack.verdict(await stack.submitSealed(event, { context: OWNER }));
    const other = await stack.verdict(await stack.submitSealed(event, { context: { ...OWNER, flow: "checkout" } }));
    expect(other.checks.reused).toBe(false);
  });

  test("a second use from another address blocks", async () => {
    const event = ownEvent();
    await stack.verdict(await stack.submitSealed(event, { context: OWNER }));
    const thief = await stack.verdict(await stack.submitSealed(event, { context: { ...OWNER, ip: "198.51.100.66" } }));
    expect(thief.checks.reused_elsewhere).toBe(true);
    expect(thief.action).toBe("block");
  });

  test("a stolen event presented first from elsewhere leaves its owner unharmed", async () => {
    const event = ownEvent();
    await stack.verdict(
      await stack.submitSealed(event, { context: { ...OWNER, ip: "198.51.100.66", user_agent: "thief" } }),
    );
    const owner = await stack.verdict(await stack.submitSealed(event, { context: OWNER }));
    expect(owner.checks).toMatchObject({ reused: false, reused_elsewhere: false });
    expect(owner.action).toBe("allow");
  });

  test("a webhook is no use of its event", async () => {
    const event = ownEvent();
    await stack.verdict(await stack.submitWebhook(event));
    const first = await stack.verdict(await stack.submitSealed(event, { context: OWNER }));
    expect(first.checks).toMatchObject({ reused: false, use_count: 1 });
  });
});

describe("checks", () => {
  test("a backlog of ours makes nobody stale", async () => {
    const receivedAt = Date.now() - 4000;
    const event = anEvent({ timestamp: receivedAt - 100_000 });
    const verdict = await stack.verdict(await stack.submitSealed(event, { receivedAt }));
    expect(verdict.checks.stale).toBe(false);
  });

  test("an event that was old when it was presented is stale", async () => {
    const verdict = await stack.verdict(await stack.submitSealed(anEvent({ timestamp: Date.now() - 200_000 })));
    expect(verdict.checks.stale).toBe(true);
    expect(verdict.action).toBe("challenge");
  });

  test("a webhook is never stale", async () => {
    const verdict = await stack.verdict(await stack.submitWebhook(anEvent({ timestamp: Date.now() - 3_600_000 })));
    expect(verdict.checks).not.toHaveProperty("stale");
  });

  test("a claimed event id that is not the sealed one blocks", async () => {
    const verdict = await stack.verdict(await stack.submitSealed(anEvent(), { eventId: anEvent().event_id }));
    expect(verdict.checks.event_id_mismatch).toBe(true);
    expect(verdict.action).toBe("block");
  });
});
