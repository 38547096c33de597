/** Listeners of `GET /v1/stream` for the bench beside it: opens them, says so, and tells what they heard when asked. */
import { request } from "node:http";

/** What all of them heard, and how late. */
export interface Heard {
  readonly events: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly mostMs: number;
}

const [port, count] = process.argv.slice(2).map(Number);
const delays: number[] = [];

for (let opened = 0; opened < (count ?? 0); opened++) await open();
process.on("message", () => process.send?.(JSON.stringify(heard())));
process.send?.("open");

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: "Bearer secret" };
    const call = request({ host: "127.0.0.1", port, path: "/v1/stream", headers, agent: false }, (response) => {
      if (response.statusCode !== 200) return reject(new Error(`The stream answered ${response.statusCode}.`));
      let rest = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        const blocks = (rest + text).split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) hear(block);
      });
      resolve();
    });
    call.on("error", reject).end();
  });
}

function hear(block: string): void {
  const [, at] = /^data: .*?"at":(\d+)/m.exec(block) ?? [];
  if (at !== undefined) delays.push(Date.now() - Number(at));
}

function heard(): Heard {
  const sorted = Float64Array.from(delays).toSorted();
  const part = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { events: sorted.length, p50Ms: part(0.5), p99Ms: part(0.99), mostMs: sorted.at(-1) ?? Number.NaN };
}
