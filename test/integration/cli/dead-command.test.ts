import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { parseSealedKeys, seal } from "@assay/fingerprint";
import { openInstallation, readSubmissionState } from "@assay/ledger";
import { queuePrefix } from "@assay/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assay, assayBundle } from "../../support/assay-command.ts";
import { anEvent } from "../../support/events.ts";
import { startRedis } from "../../support/redis-server.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";
import { aGroupLetter, anEndpointLetter, anInputLetter, aPipelineLetter, lettersOf } from "../ledger/laid-aside.ts";

const CONTEXT = { flow: "login", user_id: "anna", ip: "203.0.113.7" };

let stack: WorkerStack;
beforeEach(async () => {
  stack = await openWorkerStack();
  await openInstallation(stack.redis, stack.prefix, "0".repeat(64));
});
afterEach(() => stack.stop());

/** Runs `assay dead …` on the stack. */
async function dead(...args: string[]) {
  return await assay(["dead", ...args], { env: stack.env });
}

async function deadJson(...args: string[]) {
  const { stdout, exitCode } = await dead(...args, "--json");
  return { exitCode, json: JSON.parse(stdout) };
}

/** One letter of each sort, oldest first. */
async function oneOfEach(): Promise<string[]> {
  const letters = [];
  for (const make of [anInputLetter, aPipelineLetter, aGroupLetter, anEndpointLetter]) letters.push(await make(stack));
  return letters.map(({ kind, entryId }) => `${kind}/${entryId}`);
}

describe("assay dead list", () => {
  test("shows letters newest first, page by page, and how many there are", async () => {
    const names = await oneOfEach();
    const all = await dead("list");
    expect(all.exitCode).toBe(0);
    const lines = all.stdout.trimEnd().split("\n");
    expect(lines.slice(0, -1).map((line) => line.split(/\s+/)[0])).toEqual(names.toReversed());
    expect(lines[0]).toMatch(/^delivery\/\S+ +timeout +\d{4}-\S+Z +s_[a-z2-7]{26} +\S+ KiB +endpoint orders$/);
    expect(lines[3]).toMatch(/^input\/\S+ +no_key_opens +\d{4}-\S+Z +s_[a-z2-7]{26} +\S+ KiB$/);
    expect(lines.at(-1)).toMatch(/^Dead letters: 1 input \(.+\), 1 pipeline \(.+\), 2 delivery \(.+\)\.$/);
    const paged: string[] = [];
    for (let before: string[] = []; ;) {
      const { json } = await deadJson("list", "--limit", "1", ...before);
      paged.push(json.letters[0].letter);
      if (json.next === undefined) break;
      before = ["--before", json.next];
    }
    expect(paged).toEqual(names.toReversed());
  });

  test("keeps to a kind, a code and a tenant", async () => {
    const names = await oneOfEach();
    const namesOf = async (...args: string[]) =>
      (await deadJson("list", ...args)).json.letters.map(({ letter }: { letter: string }) => letter);
    expect(await namesOf("--kind", "input")).toEqual(names.slice(0, 1));
    expect(await namesOf("--code", "timeout")).toEqual(names.slice(3));
    expect(await namesOf("--kind", "delivery", "--code", "deliveries_exhausted")).toEqual(names.slice(2, 3));
    expect(await namesOf("--tenant", "other")).toEqual([]);
  });
});

describe("assay dead show", () => {
  test("shows nothing personal, unless it is asked for all", async () => {
    const payload = Buffer.from([255, 1, 2]);
    const letter = await anInputLetter(stack, { payload, event_id: "e1", context: CONTEXT });
    const name = `input/${letter.entryId}`;
    const [text, { json }] = [await dead("show", name), await deadJson("show", name)];
    expect(text.exitCode).toBe(0);
    for (const secret of ["anna", "203.0.113.7", payload.toString("base64")]) {
      expect(text.stdout + JSON.stringify(json)).not.toContain(secret);
    }
    expect(json).toMatchObject({
      letter: name,
      code: "no_key_opens",
      id: letter.id,
      payload_bytes: 3,
      submission: { kind: "sealed", event_id: "e1", context_fields: ["flow", "user_id", "ip"] },
    });
    const full = await deadJson("show", name, "--full");
    expect(full.json.contents).toEqual({
      meta: { kind: "sealed", event_id: "e1", context: CONTEXT },
      payload: payload.toString("base64"),
    });
    expect((await dead("show", name, "--full")).stdout).toContain('"user_id": "anna"');
  });

  test("shows of each sort what it was, and what it held", async () => {
    const [, pipeline = "", group = "", endpoint = ""] = await oneOfEach();
    const shown = async (name: string) => (await deadJson("show", name, "--full")).json;
    expect(await shown(pipeline)).toMatchObject({
      code: "22P05",
      verdict: { action: "allow" },
      submission: { kind: "sealed" },
      contents: { v: { action: "allow" }, e: { event_id: "e1" } },
    });
    expect(await shown(group)).toMatchObject({
      group: "crm",
      deliveries: 10,
      verdict: { action: "allow" },
      contents: { envelope: { type: "verdict.decided" } },
    });
    expect(await shown(endpoint)).toMatchObject({ endpoint: "orders", deliveries: 1, verdict: { action: "allow" } });
  });

  test("exits 3 where there is none", async () => {
    expect(await dead("show", "input/1-1")).toMatchObject({ exitCode: 3, stderr: "error: input/1-1 is not there.\n" });
  });
});

describe("assay dead redrive", () => {
  const keyText = randomBytes(32).toString("base64");
  const [otherKey] = parseSealedKeys(keyText);

  /** Hands in what no key of the workers opens, and waits until it is undecided. */
  async function shutOut(count: number): Promise<string[]> {
    if (otherKey === undefined) throw new Error("A fresh key must be usable.");
    const worker = await stack.runWorker();
    const sealed = Array.from({ length: count }, () => seal(anEvent(), otherKey));
    const ids = await Promise.all(sealed.map((one) => stack.submitSealed(one, { context: { flow: "login" } })));
    await Promise.all(ids.map((id) => stack.verdict(id)));
    await worker.stop();
    return ids;
  }

  const runWithKey = () => stack.runWorker({ env: { ASSAY_SEALED_KEYS: keyText } });

  test("has what a missing key shut out decided, at once", async () => {
    const [id = ""] = await shutOut(1);
    await runWithKey();
    const args = ["redrive", "--kind", "input", "--code", "no_key_opens"];
    const dry = await dead(...args, "--dry-run");
    expect(dry.stdout).toMatch(new RegExp(`^input/\\S+ +no_key_opens .* ${id} .*\nWould redrive 1 dead letter.\n$`));
    expect(await lettersOf(stack, "input")).toHaveLength(1);
    const run = await dead(...args);
    expect(run.stdout).toMatch(new RegExp(`^input/\\S+ +→ ${id}~1\nRedrove 1 dead letter.\n$`));
    expect(run.exitCode).toBe(0);
    expect(await stack.verdict(`${id}~1`, { timeoutMs: 5000 })).toMatchObject({ action: "allow", redrive_of: id });
    expect(await dead(...args)).toEqual({ exitCode: 0, stdout: "Redrove 0 dead letters.\n", stderr: "" });
  });

  test("goes on where it was killed, and does nothing twice", async () => {
    const ids = await shutOut(150);
    const args = [await assayBundle(), "dead", "redrive", "--kind", "input"];
    const child = spawn(process.execPath, args, { env: { PATH: process.env["PATH"], ...stack.env } });
    const exited = once(child, "exit");
    const left = () => stack.redis.xlen(stack.keys.deadLetters("input"));
    // Asked without a pause, so that it is caught in the midst.
    while ((await left()) === 150) expect(child.exitCode).toBeNull();
    child.kill("SIGKILL");
    await exited;
    const rest = await left();
    expect((await deadJson("redrive", "--kind", "input")).json.redriven).toBe(rest);
    // No doorbell at all is left, and all are overdue at once instead of in a minute: the reconciler alone may ring.
    await stack.redis.del(`${queuePrefix(stack.prefix)}:background:wait`);
    for (const id of ids) await stack.redis.zadd(stack.keys.pending("background"), "XX", 1, `${id}~1`);
    await runWithKey();
    await Promise.all(ids.map((id) => stack.verdict(`${id}~1`)));
    const published = (await stack.published()).map(({ id }) => id);
    expect(published.filter((id) => id.includes("~")).toSorted()).toEqual(ids.map((id) => `${id}~1`).toSorted());
  });

  test("keeps to its tenant, and rings for it", async () => {
    const tenant = await openWorkerStack({ prefix: stack.prefix, tenant: "eu" });
    try {
      const [own, other] = [await anInputLetter(tenant), await anInputLetter(stack)];
      expect((await deadJson("redrive", "--tenant", "eu", "--kind", "input")).json.letters).toMatchObject([
        { status: "resubmitted", id: `${own.id}~1` },
      ]);
      expect(await stack.redis.zrange(tenant.keys.pending("background"), "0", "-1")).toEqual([`${own.id}~1`]);
      expect(await lettersOf(stack, "input")).toEqual([other]);
      const queue = `${queuePrefix(stack.prefix)}:background`;
      const [job = ""] = await stack.redis.lrange(`${queue}:wait`, 0, -1);
      expect(JSON.parse((await stack.redis.hget(`${queue}:${job}`, "data")) ?? "")).toMatchObject({
        tenant: "eu",
        ids: [`${own.id}~1`],
      });
    } finally {
      await tenant.stop();
    }
  });

  test("makes one of each, though two run at once", async () => {
    const ids = await shutOut(20);
    const runs = await Promise.all([1, 2].map(() => deadJson("redrive", "--kind", "input")));
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(runs.reduce((sum, { json }) => sum + json.redriven, 0)).toBe(20);
    expect(await stack.redis.zcard(stack.keys.pending("background"))).toBe(20);
    for (const id of ids) {
      expect(await readSubmissionState(stack.redis, stack.keys, id, 0)).toMatchObject({ redrivenAs: `${id}~1` });
    }
  });

  test("redrives the letters that are named, says what became of each, and exits 3 where one could not be", async () => {
    const [input = "", pipeline = "", group = "", endpoint = ""] = await oneOfEach();
    const { exitCode, json } = await deadJson("redrive", pipeline, group, endpoint, "input/1-1");
    expect(exitCode).toBe(3);
    expect(json).toEqual({
      redriven: 2,
      letters: [
        { letter: pipeline, status: "returned", to: "archive", name: "archive" },
        { letter: group, status: "refused", why: "no_group" },
        { letter: endpoint, status: "returned", to: "endpoint", name: "orders" },
        { letter: "input/1-1", status: "gone" },
      ],
    });
    const again = await dead("redrive", endpoint);
    expect([again.exitCode, again.stdout]).toEqual([
      3,
      `${endpoint}  is not there\nRedrove 0 dead letters, and 1 could not be.\n`,
    ]);
    const left = (await deadJson("list")).json.letters.map(({ letter }: { letter: string }) => letter);
    expect(left).toEqual([group, input]);
  });
});

describe("on a full Redis", () => {
  test("letters are shown and purged, and what cannot be redriven stays", async () => {
    const server = await startRedis({ config: { appendonly: "no" } });
    const full = await openWorkerStack({ redisUrl: server.url });
    try {
      await openInstallation(full.redis, full.prefix, "0".repeat(64));
      const [kept, purged] = [await anInputLetter(full), await anInputLetter(full)];
      await full.redis.config("SET", "maxmemory", "1");
      const run = async (...args: string[]) => await assay(["dead", ...args], { env: full.env });
      expect(await run("redrive", "--kind", "input")).toMatchObject({
        exitCode: 3,
        stdout: "",
        stderr: expect.stringMatching(/Redis failed.*OOM/),
      });
      expect((await run("purge", `input/${purged.entryId}`, "--yes")).exitCode).toBe(0);
      expect((await run("list")).stdout).toMatch(new RegExp(`^input/${kept.entryId} .*\nDead letters: 1 input`));
    } finally {
      await full.stop();
      await server.stop();
    }
  });
});

describe("assay dead purge", () => {
  test("removes nothing until it is told yes", async () => {
    await oneOfEach();
    const run = await dead("purge", "--all");
    expect(run).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("4 dead letters would be") });
    expect((await deadJson("list")).json.letters).toHaveLength(4);
    expect(await dead("purge", "--all", "--yes")).toMatchObject({ exitCode: 0, stdout: "Removed 4 dead letters.\n" });
    expect((await deadJson("list")).json.kinds).toEqual({
      input: { count: 0, bytes: 0, dropped: 0 },
      pipeline: { count: 0, bytes: 0, dropped: 0 },
      delivery: { count: 0, bytes: 0, dropped: 0 },
    });
  });

  test.each([
    [
      ["--kind", "delivery"],
      [0, 1],
    ],
    [
      ["--code", "no_key_opens"],
      [1, 2, 3],
    ],
    [
      ["--kind", "delivery", "--code", "timeout"],
      [0, 1, 2],
    ],
    [
      ["--older-than", "1h"],
      [0, 1, 2, 3],
    ],
    [["--older-than", "0s"], []],
  ])("by %j leaves the others", async (args, left) => {
    const names = await oneOfEach();
    expect((await dead("purge", ...args, "--yes")).exitCode).toBe(0);
    const { json } = await deadJson("list");
    const kept = json.letters.map(({ letter }: { letter: string }) => letter).toReversed();
    expect(kept).toEqual(left.map((at) => names[at]));
  });

  test("removes what is named, and exits 3 where one is not there", async () => {
    const [input = ""] = await oneOfEach();
    const { exitCode, json } = await deadJson("purge", input, "pipeline/1-1", "--yes");
    expect([exitCode, json]).toEqual([3, { purged: 1, missing: ["pipeline/1-1"] }]);
  });
});

describe("assay dead", () => {
  test.each([
    [["list", "--limit", "0"], {}, 2, "--limit must be a whole number from 1 to 1000."],
    [["list", "--kind", "inputs"], {}, 2, "Allowed choices are input, pipeline, delivery"],
    [["list", "--tenant", "Å"], {}, 2, "--tenant must be"],
    [["list", "--before", "x"], {}, 2, "x names no dead letter"],
    [["show", "x"], {}, 2, "x names no dead letter"],
    [["redrive"], {}, 2, "Name letters, or what they have in common"],
    [["redrive", "input/1-1", "--kind", "input"], {}, 2, "not both"],
    [["purge", "--yes"], {}, 2, "Name letters, or what they have in common"],
    [["purge", "--older-than", "soon", "--yes"], {}, 2, "--older-than must be a duration"],
    [["list"], { REDIS_URL: "" }, 2, "REDIS_URL: is not set"],
    [["list"], { REDIS_URL: "redis://:hunter2@127.0.0.1:1" }, 3, "Redis could not be reached"],
    [["list"], { ASSAY_PREFIX: "nobody" }, 3, "There is no Assay under the prefix nobody"],
  ])("of %j in %j exits %i and says why", async (args, env, exitCode, why) => {
    const run = await assay(["dead", ...args], { env: { ...stack.env, ...env } });
    expect(run).toMatchObject({ exitCode, stdout: "", stderr: expect.stringContaining(why) });
    expect(run.stderr).not.toContain("hunter2");
  });
});
