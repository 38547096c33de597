import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach } from "vitest";
import { createPaint } from "../src/paint.ts";
import { run, type Run } from "../src/program.ts";

let folder = "";

/** A new folder of rulesets for each test of a file. */
export function useFolder(): void {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "assay-cli-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
}

/** Writes a file of the folder; returns its path. */
export function put(path: string, text: string | Uint8Array): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/** Runs a command line on the folder, whose path reads `DIR` in what comes back. */
export async function assay(...args: string[]): Promise<Run> {
  return await assayPainted(false, ...args);
}

let stdin: readonly Buffer[] = [];

/** What is piped into the command lines that follow. */
export function pipe(...chunks: readonly Buffer[]): void {
  stdin = chunks;
}

/** The same, as on a terminal with colours or without. */
export async function assayPainted(isColoured: boolean, ...args: string[]): Promise<Run> {
  return await runOn({ isColoured, input: "" }, args);
}

/** The same, with this on its standard input. */
export async function assayOn(input: string, ...args: string[]): Promise<Run> {
  return await runOn({ isColoured: false, input }, args);
}

async function runOn(
  { isColoured, input }: { readonly isColoured: boolean; readonly input: string },
  args: readonly string[],
): Promise<Run> {
  const now = Date.UTC(2026, 10, 23);
  const { exitCode, out, err } = await run(args, {
    env: { ASSAY_RULESETS: folder },
    now,
    paint: createPaint(isColoured),
    print: () => undefined,
    stdin: () => Readable.from(stdin),
    interrupted: () => Promise.resolve(),
    randomBytes,
    readInput: () => Promise.resolve(input),
  });
  return { exitCode, out: out.replaceAll(folder, "DIR"), err: err.replaceAll(folder, "DIR") };
}

/** What a command line prints for programs. */
export async function assayJson(...args: string[]): Promise<unknown> {
  const { out } = await assay(...args, "--json");
  return JSON.parse(out);
}

/** Four rules: live ones, one in shadow, one that is off. */
export const DEFAULT = [
  "ruleset: default",
  "facts: { country: string }",
  "thresholds: { block: 80 }",
  "rules:",
  '  - { id: bad_bot, when: bot == "bad", action: block, message: An automation tool }',
  '  - { id: hidden, when: vpn && vpn_confidence != "low" || proxy, score: 80, owner: ann@example.com, tags: [net] }',
  "  - { id: abroad, when: 'facts.country == \"FR\"', score: 10, mode: shadow }",
  "  - { id: old, when: suspect_score > 20, score: 10, mode: off }",
].join("\n");

/** A ruleset with a misspelt signal. */
export const FAULTY = 'ruleset: other\nrules:\n  - { id: a, when: bott == "bad", action: block }\n';
