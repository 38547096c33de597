import { describe, expect, test } from "vitest";
import { freePort } from "../../support/private-redis.ts";
import { eventually } from "../../support/eventually.ts";
import { startRedis } from "../../support/redis-server.ts";
import { runEveryScript } from "./every-script.ts";
import { openConnection, openLedger } from "./open-ledger.ts";

/** Commands of a script that name no key. */
const KEYLESS = new Set(["TIME", "PUBLISH"]);

/** The key that a command of a script names. */
function keyOf(command: string, args: readonly string[]): string {
  if (command === "XREADGROUP") return args[args.indexOf("STREAMS") + 1] ?? "";
  return (command === "XINFO" || command === "XGROUP" ? args[1] : args[0]) ?? "";
}

describe("every script", () => {
  test("survives a server that forgot it between two calls", async () => {
    const ledger = await openLedger();
    await runEveryScript(ledger, () => ledger.redis.script("FLUSH"));
    expect(await ledger.redis.xlen(ledger.keys.verdicts())).toBe(4);
  });

  test("runs on a cluster: its keys share a slot", async () => {
    const config = { "cluster-enabled": "yes", "cluster-port": String(await freePort()), appendonly: "no" };
    const server = await startRedis({ config });
    try {
      const ledger = await openLedger(server.url);
      await ledger.redis.cluster("ADDSLOTSRANGE", 0, 16_383);
      await eventually(async () => (await ledger.redis.cluster("INFO")).includes("cluster_state:ok"));
      await runEveryScript(ledger);
      expect(await ledger.redis.xlen(ledger.keys.verdicts())).toBe(4);
    } finally {
      await server.stop();
    }
  });

  test("names every key it touches", async () => {
    const server = await startRedis({ config: { appendonly: "no" } });
    try {
      const ledger = await openLedger(server.url);
      const monitor = await (await openConnection(server.url)).monitor();
      const undeclared: string[] = [];
      const scripts = new Set<string>();
      let declared: string[] = [];
      let touched = 0;
      monitor.on("monitor", (_, [command = "", ...rest]: string[], source: string) => {
        const name = command.toUpperCase();
        if (source !== "lua" && name.startsWith("EVAL")) {
          declared = rest.slice(2, 2 + Number(rest[1]));
          if (name === "EVAL") scripts.add(rest[0] ?? "");
        } else if (source === "lua" && !KEYLESS.has(name)) {
          touched++;
          const key = keyOf(name, rest);
          if (!declared.includes(key)) undeclared.push(`${name} ${key}`);
        }
      });
      const ended = new Promise((resolve) =>
        monitor.on("monitor", (_, [, last]: string[]) => {
          if (last === "the end") resolve(undefined);
        }),
      );
      await runEveryScript(ledger);
      await ledger.redis.echo("the end");
      await ended;
      monitor.disconnect();
      expect(undeclared).toEqual([]);
      expect(scripts.size).toBe(42);
      expect(touched).toBeGreaterThan(50);
    } finally {
      await server.stop();
    }
  });
});
