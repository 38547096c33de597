import { afterEach, describe, expect, test } from "vitest";
import { type AppProcess, startApp } from "../../support/app-process.ts";
import { assayBundle } from "../../support/assay-command.ts";
import { anEventId } from "../../support/events.ts";
import { eventually } from "../../support/eventually.ts";
import { openWorkerStack } from "../../support/worker-stack.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

describe("assay vendor", () => {
  test("is where a worker looks events up, as it says", async () => {
    const { vendor, env } = await startVendor("--any", "--api-key", "key-1");
    const stack = await openWorkerStack({ env });
    stops.push(() => stack.stop());
    await stack.runWorker();
    const eventId = anEventId();
    expect(await stack.verdict(await stack.submitLookup(eventId))).toMatchObject({
      event_source: "lookup",
      event_id: eventId,
      action: "allow",
    });
    expect(vendor.output.filter((line) => line.includes(eventId))).toEqual([expect.stringContaining(" 200 ")]);
  });

  test.each(["SIGINT", "SIGTERM"] as const)("ends well by %s, though a connection is open", async (signal) => {
    const { vendor, env } = await startVendor();
    // Fetch keeps its connection.
    await (await fetch(`${env["ASSAY_FINGERPRINT_API_URL"]}/v4/events/a.b`)).text();
    await vendor.kill(signal);
    expect(await vendor.exited).toEqual([0, null]);
    await eventually(() => expect(vendor.output.at(-1)).toBe("Stopped after 1 request."));
  });
});

/** Starts the command; `env` is what it tells a worker. */
async function startVendor(...args: string[]): Promise<{ vendor: AppProcess; env: Record<string, string> }> {
  const vendor = startApp(await assayBundle(), {}, ["vendor", "--port", "0", ...args]);
  stops.push(() => vendor.stop());
  const names = ["ASSAY_FINGERPRINT_API_URL", "ASSAY_FINGERPRINT_API_KEYS"];
  const told = await eventually(() => {
    const pairs = vendor.output.flatMap((line) => [...line.matchAll(/^ {2}(ASSAY_\w+)=(\S+)$/g)]);
    return pairs.length === names.length && pairs;
  });
  return { vendor, env: Object.fromEntries(told.map(([, name = "", value = ""]) => [name, value])) };
}
