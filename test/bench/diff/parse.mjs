// Reads a file and parses each of its lines, as fast as one thread can without a library.
import { createReadStream } from "node:fs";

let rows = 0;
let rest = "";
for await (const chunk of createReadStream(process.argv[2], { encoding: "utf8", highWaterMark: 512 * 1024 })) {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) {
    JSON.parse(line);
    rows += 1;
  }
}
console.log(rows);
