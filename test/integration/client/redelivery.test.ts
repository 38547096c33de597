import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { redriveLetter, walkLetters } from "@assay/ledger";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { GROUP, openStage, QUICK, type Stage } from "./stage.ts";

let stage: Stage;

beforeEach(async () => {
  stage = await openStage(inject("redisUrl"));
});

afterEach(async () => {
  await stage.close();
});

describe("consume", () => {
  test("delivers again what its handler failed on, and counts", async () => {
    const [id] = await stage.publish("allow");
    const errors: unknown[] = [];
    const seen: [string, number][] = [];
    stage.aClient().consume({ ...QUICK, onError: (error) => errors.push(error) }, (verdict, { deliveries }) => {
      seen.push([verdict.id, deliveries]);
      if (deliveries < 3) throw new Error(`attempt ${deliveries}`);
    });
    await eventually(() => seen.length === 3);
    expect(seen).toEqual([
      [id, 1],
      [id, 2],
      [id, 3],
    ]);
    expect(errors).toMatchObject([{ message: "attempt 1" }, { message: "attempt 2" }]);
    await eventually(async () => (await stage.pendingCount()) === 0);
  });

  test("waits longer before each further delivery", async () => {
    await stage.publish("allow");
    const at: number[] = [];
    stage.aClient().consume({ ...QUICK, retryAfterMs: 200, takeoverAfterMs: 60_000 }, () => {
      at.push(performance.now());
      throw new Error("not yet");
    });
    await eventually(() => at.length >= 5);
    const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    // Counted from when Redis handed it out, a moment before its handler began.
    for (const [index, atLeast] of [200, 400, 800, 1600].entries()) {
      expect(pauses[index]).toBeGreaterThanOrEqual(atLeast - 100);
    }
  });

  test("lays aside what was delivered ten times, with its envelope", async () => {
    const [id] = await stage.publish("allow");
    let calls = 0;
    stage.aClient().consume({ ...QUICK, retryAfterMs: 1 }, () => {
      calls++;
      throw new Error("never");
    });
    await eventually(async () => (await stage.deadLetters()).length > 0);
    const [letter] = await stage.deadLetters();
    expect(letter).toMatchObject({ id, group: GROUP, deliveries: "10", code: "deliveries_exhausted" });
    expect(letter?.["envelope"]).toContain(`"type":"verdict.decided"`);
    expect(await stage.pendingCount()).toBe(0);
    expect(calls).toBe(10);
  });

  test("is given what was laid aside once more, when it is redriven, and nobody else is", async () => {
    const { redis, keys } = stage.installation;
    const others: string[] = [];
    let isBroken = true;
    const seen: [string, number][] = [];
    stage.aClient().consume({ ...QUICK, retryAfterMs: 1 }, (verdict, { deliveries }) => {
      if (isBroken) throw new Error("broken");
      seen.push([verdict.id, deliveries]);
    });
    stage.aClient().consume({ ...QUICK, group: "orders" }, (verdict) => void others.push(verdict.id));
    const [id = ""] = await stage.publish("allow");
    await eventually(async () => (await stage.deadLetters()).length > 0);
    isBroken = false;
    for await (const letter of walkLetters(redis, keys, "delivery")) {
      expect(await redriveLetter(redis, keys, letter)).toMatchObject({ status: "returned", name: GROUP });
    }
    const [last = ""] = await stage.publish("allow");
    await eventually(() => seen.length === 2 && others.length === 2);
    // Which comes first is open: the second verdict is published behind the redrive, and they may be handled at once.
    expect(new Map(seen)).toEqual(
      new Map([
        [id, 1],
        [last, 1],
      ]),
    );
    expect(new Set(others)).toEqual(new Set([id, last]));
    expect(await stage.deadLetters()).toEqual([]);
  });

  test("lays aside what cannot be read, and goes on", async () => {
    await stage.installation.redis.xadd(stage.installation.keys.verdicts(), "*", "e", "{not json");
    await stage.installation.redis.xadd(stage.installation.keys.verdicts(), "*", "e", `{"type":"of.another.version"}`);
    const [id] = await stage.publish("allow");
    const seen: string[] = [];
    stage.aClient().consume(QUICK, (verdict) => void seen.push(verdict.id));
    await eventually(async () => seen.length === 1 && (await stage.pendingCount()) === 0);
    expect(seen).toEqual([id]);
    expect(await stage.deadLetters()).toMatchObject([{ code: "unreadable", envelope: "{not json" }]);
  });

  test("takes over what a killed process had", async () => {
    const [id] = await stage.publish("allow");
    const script = fileURLToPath(new URL("stuck-consumer.ts", import.meta.url));
    const args = ["--import", "tsx", "--conditions=@assay/source", script];
    const child = spawn(process.execPath, [...args, stage.installation.url, stage.installation.prefix, GROUP], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await stage.pendingCount()).toBe(1);
    const seen: [string, number][] = [];
    stage.aClient().consume(QUICK, (verdict, { deliveries }) => void seen.push([verdict.id, deliveries]));
    await eventually(async () => seen.length > 0 && (await stage.pendingCount()) === 0);
    expect(seen).toEqual([[id, 2]]);
  });

  test("leaves a slow handler of a living process alone", async () => {
    await stage.publish("allow");
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const seen: string[] = [];
    stage.aClient().consume(QUICK, async () => {
      seen.push("slow");
      await released;
    });
    await eventually(() => seen.length === 1);
    stage.aClient().consume(QUICK, () => void seen.push("other"));
    // Twice the time after which a dead one's would be taken over.
    const until = performance.now() + 600;
    await eventually(() => performance.now() > until);
    release();
    await eventually(async () => (await stage.pendingCount()) === 0);
    expect(seen).toEqual(["slow"]);
  });

  test("lets others have at once what a stopped consumer failed on", async () => {
    const [id] = await stage.publish("allow");
    const slow = { ...QUICK, retryAfterMs: 60_000, takeoverAfterMs: 60_000 };
    let failed = 0;
    const consumer = stage.aClient().consume(slow, () => {
      failed++;
      throw new Error("not here");
    });
    await eventually(() => failed === 1);
    await consumer.stop();
    const seen: string[] = [];
    stage.aClient().consume(slow, (verdict) => void seen.push(verdict.id));
    await eventually(() => seen.length === 1);
    expect(seen).toEqual([id]);
  });
});
