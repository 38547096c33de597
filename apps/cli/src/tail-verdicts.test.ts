import { Readable } from "node:stream";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { assay, useFolder } from "../test/command-line.ts";
import { createPaint } from "./paint.ts";
import { run } from "./program.ts";

useFolder();

const VERDICT = {
  schema: "assay.verdict/1",
  id: `s_${"a".repeat(26)}`,
  kind: "lookup",
  action: "block",
  score: 80,
  reasons: [{ rule: "bad_bot" }, { rule: "hidden" }],
  context: { flow: "login", reference: "order-1", user_id: "anna" },
  visitor_id: "visitor-1",
  decided_at: Date.UTC(2026, 10, 27, 12, 34, 56, 789),
};

describe("assay verdicts tail", () => {
  test("shows a line for each verdict, and no more of the visitor than the verdict's id", async () => {
    const allowed = { ...VERDICT, action: "allow", score: 0, reasons: [], context: undefined };
    const undecided = { ...VERDICT, action: "review", score: 0, reasons: [], undecided: { code: "event_not_found" } };
    const { lines, result } = await follow([], [VERDICT, allowed, undecided]);
    expect(lines).toEqual([
      `12:34:56.789  block       80  lookup    login         ${VERDICT.id}  bad_bot, hidden`,
      `12:34:56.789  allow        0  lookup    -             ${VERDICT.id}`,
      `12:34:56.789  review       0  lookup    login         ${VERDICT.id}  undecided: event_not_found`,
    ]);
    expect(result).toEqual({ exitCode: 0, out: "Stopped after 3 verdicts.\n", err: "" });
  });

  test("prints the verdict a line with --json, and nothing else", async () => {
    const { lines, result } = await follow(["--json"], [VERDICT]);
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([VERDICT]);
    expect(result).toEqual({ exitCode: 0, out: "", err: "" });
  });

  test("asks for what it is told to, as the key", async () => {
    const filters = ["--filter", "action=block", "--filter", "action=review", "--filter", "kind=sealed"];
    const { asked } = await follow([...filters, "--flow", "login", "--filter", "flow=pay", "--test"], [VERDICT]);
    expect(asked).toEqual([
      "Bearer secret /v1/stream?action=block&action=review&flow=login&flow=pay&kind=sealed&test=true",
    ]);
  });

  test("shows what it missed", async () => {
    const { lines } = await follow(
      [],
      [VERDICT],
      'event: stream.trimmed\ndata: {"data":{"lost":2,"from":0,"to":1}}\n\n',
    );
    expect(lines[0]).toBe(
      "2 verdicts of between 1970-01-01T00:00:00.000Z and 1970-01-01T00:00:00.001Z had left the stream before they could be shown.",
    );
  });

  test.each([
    [["--filter", "action=deny"], "--filter action=deny is none of allow, challenge, review, block."],
    [["--filter", "kind=seal"], "--filter kind=seal is none of"],
    [["--filter", "score=80"], "--filter score=80 is no action=…, kind=… or flow=…."],
    [["--url", "localhost"], "url must be an http:// or https:// address"],
  ])("exits %j with 2", async (args, message) => {
    const { exitCode, err } = await runWith(["--url", "http://127.0.0.1:1", ...args], { ASSAY_KEY: "secret" });
    expect([exitCode, err]).toEqual([2, expect.stringContaining(message)]);
  });

  test("exits 2 without an address or a key", async () => {
    expect(await assay("verdicts", "tail")).toMatchObject({ exitCode: 2, err: expect.stringContaining("ASSAY_URL") });
  });

  test("exits 3 when its key is refused", async () => {
    const url = await serve((response) => {
      response.writeHead(403).end('{"code":"forbidden","detail":"The key lacks the role read."}');
    });
    const { exitCode, err } = await runWith(["--url", url], { ASSAY_KEY: "secret" });
    expect([exitCode, err]).toEqual([3, `error: ${url}: The key lacks the role read.\n`]);
  });
});

/** Follows a stream of these verdicts, and is interrupted when all are shown. */
async function follow(args: readonly string[], verdicts: readonly object[], before = "") {
  const asked: string[] = [];
  const frames = verdicts.map((data, at) => {
    const envelope = JSON.stringify({ type: "verdict.decided", id: VERDICT.id, at: 1, data });
    return `id: p${at}\nevent: verdict.decided\ndata: ${envelope}\n\n`;
  });
  const url = await serve((response, request) => {
    asked.push(request);
    response.write(before + frames.join(""));
  });
  const lines: string[] = [];
  let interrupt = () => {};
  const interrupted = new Promise<void>((resolve) => (interrupt = resolve));
  const expected = verdicts.length + (before === "" ? 0 : 1);
  const result = await runWith([...args], { ASSAY_KEY: "secret", ASSAY_URL: url }, interrupted, (line) => {
    lines.push(line);
    if (lines.length === expected) interrupt();
  });
  return { lines, asked, result };
}

function runWith(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  interrupted: Promise<void> = new Promise(() => undefined),
  print: (line: string) => void = () => undefined,
) {
  return run(["verdicts", "tail", ...args], {
    env,
    now: 0,
    paint: createPaint(false),
    randomBytes,
    readInput: () => Promise.resolve(""),
    stdin: () => Readable.from([]),
    print,
    interrupted: () => interrupted,
  });
}

async function serve(answer: (response: ServerResponse, request: string) => void): Promise<string> {
  const server = createServer((request, response) =>
    answer(response, `${request.headers.authorization} ${request.url}`),
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}
