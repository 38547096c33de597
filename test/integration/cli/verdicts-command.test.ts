import { afterEach, describe, expect, inject, test } from "vitest";
import { startApp } from "../../support/app-process.ts";
import { assayBundle } from "../../support/assay-command.ts";
import { eventually } from "../../support/eventually.ts";
import { anEventId, startIngress } from "../ingress/open-ingress.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

describe("assay verdicts tail", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("shows what is decided, and ends well by %s", async (signal) => {
    const door = await startIngress(inject("redisUrl"));
    stops.push(() => door.close());
    const env = { ASSAY_URL: door.baseUrl, ASSAY_KEY: "shop-secret" };
    const tail = startApp(await assayBundle(), env, ["verdicts", "tail", "--filter", "action=block"]);
    stops.push(() => tail.stop());
    const decided = async (action: "allow" | "block") => {
      await door.submit({ event_id: anEventId(), context: { flow: "login" } });
      return (await door.decideAll(action))[0] ?? "";
    };
    // Until it has connected, nothing is shown.
    await eventually(async () => {
      const id = await decided("block");
      await eventually(() => expect(tail.output.at(-1)).toContain(id), { timeoutMs: 500 });
    });
    const [allowed, blocked] = [await decided("allow"), await decided("block")];
    await eventually(() => expect(tail.output.at(-1)).toMatch(new RegExp(`block .* login .* ${blocked}$`)));
    expect(tail.output.join("\n")).not.toContain(allowed);
    await tail.kill(signal);
    expect(await tail.exited).toEqual([0, null]);
    await eventually(() => expect(tail.output.at(-1)).toMatch(/^Stopped after \d+ verdicts?\.$/));
  });
});
