import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { createServer } from "node:net";
import { anEvent } from "@assay/fingerprint/stand-in";
import { describe, expect, test } from "vitest";
import { assay, put, useFolder } from "../test/command-line.ts";
import { createPaint } from "./paint.ts";
import { run, type Run } from "./program.ts";

useFolder();

const ID = "1708102555327.NLOjmg";

describe("assay vendor", () => {
  test("says where it is and how to point a worker at it", async () => {
    const vendor = await startVendor("--api-key", "first", "--api-key", "second", "--rps", "7", "--burst", "9");
    expect(vendor.lines[0]).toContain(
      `answers at ${vendor.url}.\nEach key may make 7 requests a second, and 9 at once.\n`,
    );
    expect(vendor.lines[0]).toContain(`  ASSAY_FINGERPRINT_API_URL=${vendor.url}\n`);
    expect(vendor.lines[0]).toContain("  ASSAY_FINGERPRINT_API_KEYS=first\n");
    expect([await vendor.ask(ID, "second"), await vendor.ask(ID, "third")]).toEqual([404, 403]);
    await vendor.stop();
  });

  test("shows each request, without its key, and how many there were", async () => {
    const vendor = await startVendor("--any");
    expect([await vendor.ask(ID, "secret"), await vendor.ask("%1b%5b", "secret")]).toEqual([200, 400]);
    expect(vendor.lines.slice(1)).toEqual([
      expect.stringMatching(/^ +\d+\.\d{3} s {2}200 {2}1708102555327\.NLOjmg {2}key 2bb80d53$/),
      expect.stringMatching(/^ +\d+\.\d{3} s {2}400 {2}- {2}key 2bb80d53$/),
    ]);
    expect(await vendor.stop()).toEqual({ exitCode: 0, out: "Stopped after 2 requests.\n", err: "" });
    await expect(vendor.ask(ID)).rejects.toThrow("fetch failed");
  });

  test("knows the events of a file, of every version, and no others", async () => {
    const v3 = { requestId: "request-1", timestamp: 1_708_102_555_327, visitorId: "x" };
    const file = put("events.ndjson", `${JSON.stringify(anEvent({ event_id: ID }))}\n\n${JSON.stringify(v3)}\n`);
    const vendor = await startVendor("--events", file);
    expect(vendor.lines[0]).toContain("It knows 2 events. Any other id is answered with event_not_found.");
    expect(await Promise.all([ID, "request-1", "other"].map((id) => vendor.ask(id)))).toEqual([200, 200, 404]);
    await vendor.stop();
  });

  test("throttles by the vendor's own limits unless told otherwise", async () => {
    const vendor = await startVendor("--any");
    const statuses = await Promise.all(Array.from({ length: 40 }, () => vendor.ask(ID)));
    expect(statuses).toContain(429);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(15);
    await vendor.stop();
  });

  test.each([
    [["--port", "70000"], 2, "--port 70000 is no whole number from 0 to 65535."],
    [["--rps", "0"], 2, "--rps 0 is no whole number"],
    [["--burst", "1.5"], 2, "--burst 1.5 is no whole number"],
    [["--events", "nowhere.ndjson"], 3, "nowhere.ndjson cannot be read"],
  ])("exits %j with %i", async (args, exitCode, message) => {
    expect(await assay("vendor", ...args)).toMatchObject({ exitCode, err: expect.stringContaining(message) });
  });

  test.each([
    ["{}", "DIR/events.ndjson:2 is no event of Fingerprint's: it has neither the keys of v4"],
    ["{", "DIR/events.ndjson:2 is not JSON"],
  ])("names the line of %s, which is no event", async (line, message) => {
    const file = put("events.ndjson", `${JSON.stringify(anEvent())}\n${line}\n`);
    expect(await assay("vendor", "--events", file)).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining(message),
    });
  });

  test("says that a port is taken", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? String(address?.port) : "";
    const { exitCode, err } = await assay("vendor", "--port", port);
    expect([exitCode, err]).toEqual([2, expect.stringContaining(`Port ${port} cannot be had: EADDRINUSE.`)]);
    await new Promise((resolve) => server.close(resolve));
  });
});

interface Vendor {
  readonly url: string;
  readonly lines: readonly string[];
  /** The status that it answers with. */
  ask(eventId: string, key?: string): Promise<number>;
  stop(): Promise<Run>;
}

/** Runs the command in this process; resolves when it has said where it is. */
async function startVendor(...args: string[]): Promise<Vendor> {
  const lines: string[] = [];
  let stop = () => {};
  let ran: Promise<Run> | undefined;
  await new Promise<void>((resolve, reject) => {
    ran = run(["vendor", "--port", "0", ...args], {
      env: {},
      now: 0,
      paint: createPaint(false),
      randomBytes,
      readInput: () => Promise.resolve(""),
      print(line) {
        lines.push(line);
        resolve();
      },
      stdin: () => Readable.from([]),
      interrupted: () => new Promise((interrupt) => (stop = interrupt)),
    });
    ran.then(({ err }) => reject(new Error(err)), reject);
  });
  const url = /http:\/\/[\d.]+:\d+/.exec(lines[0] ?? "")?.[0] ?? "";
  return {
    url,
    lines,
    async ask(eventId, key = "a") {
      const response = await fetch(`${url}/v4/events/${eventId}`, { headers: { authorization: `Bearer ${key}` } });
      await response.text();
      return response.status;
    },
    stop() {
      stop();
      return ran ?? Promise.reject(new Error("It never ran."));
    },
  };
}
