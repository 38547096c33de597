import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Verdict } from "@assay/protocol";
import { describe, expect, onTestFinished, test } from "vitest";
import { anEvent } from "../../support/events.ts";
import { eventually } from "../../support/eventually.ts";
import { openWorkerStack } from "../../support/worker-stack.ts";

/** A stack whose workers decide and know of an archive, whose Postgres is not there, by a ruleset that can be changed. */
async function openStage() {
  const folder = mkdtempSync(join(tmpdir(), "assay-told-"));
  const write = (rule: string) =>
    writeFileSync(
      join(folder, "default.yaml"),
      `ruleset: default\nrules:\n  - { id: ${rule}, when: bot == "bad", action: block }\n`,
    );
  write("first");
  const stack = await openWorkerStack({
    env: {
      ASSAY_RULESETS: folder,
      ASSAY_WORKER_ROLES: "score",
      DATABASE_URL: "postgres://assay:password@127.0.0.1:1/assay",
      LOG_VERDICTS: "none",
    },
  });
  onTestFinished(async () => {
    await stack.stop();
    rmSync(folder, { recursive: true });
  });
  const digestOf = async () => (await stack.verdict(await stack.submitSealed(anEvent()))).ruleset.digest;
  return { stack, write, digestOf };
}

type Stage = Awaited<ReturnType<typeof openStage>>;

/** Digests in the stream to the archive, in its order: of verdicts, and of rulesets that were told. */
async function streamed({ stack }: Stage): Promise<string[]> {
  const entries = await stack.redis.xrange(stack.keys.archive(), "-", "+");
  return entries.map(([, [name, value = "", , digest = ""]]) => {
    if (name === "t" && value === "ruleset") return `told ${digest}`;
    const { ruleset }: Verdict = JSON.parse(value);
    return `used ${ruleset.digest}`;
  });
}

describe("a ruleset that decides", () => {
  test("is on its way into the archive before the first verdict by it", { timeout: 60_000 }, async () => {
    const stage = await openStage();
    const worker = await stage.stack.startWorker();
    const first = await stage.digestOf();
    stage.write("second");
    const second = await eventually(
      async () => {
        const digest = await stage.digestOf();
        return digest !== first && digest;
      },
      { timeoutMs: 30_000 },
    );
    await worker.kill("SIGKILL");
    const entries = await streamed(stage);
    expect([...new Set(entries)]).toEqual([`told ${first}`, `used ${first}`, `told ${second}`, `used ${second}`]);
    expect(entries.filter((entry) => entry.startsWith("told"))).toHaveLength(2);
  });
});
