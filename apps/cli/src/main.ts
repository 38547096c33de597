#!/usr/bin/env node
import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { text } from "node:stream/consumers";
import { createPaint } from "./paint.ts";
import { run } from "./program.ts";

const { stdout, stderr, stdin, env } = process;
// A reader that has seen enough, such as `head`, is no failure.
stdout.on("error", () => process.exit());
const { exitCode, out, err } = await run(process.argv.slice(2), {
  env,
  now: Date.now(),
  paint: createPaint(stdout.isTTY && !env["NO_COLOR"]),
  print: (line) => void stdout.write(`${line}\n`),
  stdin: () => stdin,
  randomBytes,
  readInput: () => text(stdin),
  ...(stderr.isTTY ? { showProgress: (line) => void stderr.write(`\r\u001b[K${line}`) } : {}),
  // It stands beside this file in the bundle.
  threads: { file: new URL("assay-judge.js", import.meta.url), count: availableParallelism() - 1 },
  interrupted: () =>
    new Promise((resolve) => {
      // Once: a second signal ends the process.
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
    }),
});
stdout.write(out);
stderr.write(err);
process.exitCode = exitCode;
