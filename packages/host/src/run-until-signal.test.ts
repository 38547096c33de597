import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, test } from "vitest";

const children: ChildProcessWithoutNullStreams[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

interface App {
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves with the first line that has the text. */
  line(text: string): Promise<string>;
  ended(): Promise<{ code: unknown; output: string }>;
}

/** A real process whose `main` is `body`; it says "up" and stays up. */
function startApp(body: string): App {
  const source = `
    import { createLogger } from ${JSON.stringify(new URL("./logger.ts", import.meta.url))};
    import { runUntilSignal } from ${JSON.stringify(new URL("./run-until-signal.ts", import.meta.url))};
    const logger = createLogger({ name: "app" });
    const stops = [];
    const staysUp = setInterval(() => {}, 1000);
    ${body}
    logger.info("up");`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", source]);
  children.push(child);
  const exited = once(child, "close");
  const seen: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => seen.push(line));
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  return {
    child,
    async line(text) {
      for (;;) {
        const found = seen.find((line) => line.includes(text));
        if (found !== undefined) return found;
        if (child.exitCode !== null) throw new Error(`ended without saying ${text}: ${seen.join("\n")}${errors}`);
        await Promise.race([once(lines, "line"), exited]);
      }
    },
    async ended() {
      const [code]: unknown[] = await exited;
      return { code, output: seen.join("\n") };
    },
  };
}

describe("runUntilSignal", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("stops last to first on %s and exits 0", async (signal) => {
    const app = startApp(`
      runUntilSignal({ logger, deadlineMs: 5000, stops });
      stops.push(async () => logger.info("first stopped"), async () => logger.info("second stopped"));`);
    await app.line("up");
    app.child.kill(signal);
    const { code, output } = await app.ended();
    expect(code).toBe(0);
    expect(output).toMatch(/second stopped[^]*first stopped/);
  });

  test("exits 1 when the deadline passes", async () => {
    const app = startApp("runUntilSignal({ logger, deadlineMs: 20, stops: [() => new Promise(() => {})] });");
    await app.line("up");
    app.child.kill("SIGTERM");
    const { code, output } = await app.ended();
    expect(code).toBe(1);
    expect(output).toContain("could not stop within 20 ms");
  });

  test("exits 1 at once on a second signal", async () => {
    const app = startApp("runUntilSignal({ logger, deadlineMs: 60000, stops: [() => new Promise(() => {})] });");
    await app.line("up");
    app.child.kill("SIGTERM");
    await app.line("stopping");
    app.child.kill("SIGINT");
    const { code, output } = await app.ended();
    expect(code).toBe(1);
    expect(output).toContain("SIGINT came again");
  });

  test("stops the other parts when one fails, and exits 1", async () => {
    const app = startApp(`
      const fails = async () => { throw new Error("stuck socket"); };
      runUntilSignal({ logger, deadlineMs: 5000, stops: [async () => logger.info("first stopped"), fails] });`);
    await app.line("up");
    app.child.kill("SIGTERM");
    const { code, output } = await app.ended();
    expect(code).toBe(1);
    expect(output).toContain("stuck socket");
    expect(output).toContain("first stopped");
  });

  test.each([
    ["an error nobody caught", 'setImmediate(() => { throw new Error("boom"); });'],
    ["a rejection nobody handled", 'Promise.reject(new Error("boom"));'],
    ["a main that rejects", 'await Promise.reject(new Error("boom"));'],
  ])("logs %s and exits 1", async (_, fault) => {
    const app = startApp(`runUntilSignal({ logger, deadlineMs: 5000, stops }); ${fault}`);
    const { code, output } = await app.ended();
    expect(code).toBe(1);
    expect(output).toMatch(/"level":"fatal"[^]*boom/);
  });
});
