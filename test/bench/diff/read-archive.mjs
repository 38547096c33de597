// Reads rows of an archive by pages and parses each, as fast as one process can with pg alone: the same columns in the same order.
import { inflateRawSync } from "node:zlib";
import { Client } from "pg";

const client = new Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
const page = `
  SELECT v.received_at, v.id, v.body AS verdict, e.submission, e.body AS event
  FROM assay.verdicts v JOIN assay.events e USING (tenant, received_at, id)
  WHERE tenant = '0' AND (received_at, id) > ($1, $2) ORDER BY received_at, id LIMIT 2000`;
let after = [new Date(0), ""];
let rows = 0;
for (;;) {
  const found = (await client.query(page, after)).rows;
  for (const { verdict, submission, event } of found) {
    JSON.parse(verdict);
    JSON.parse(submission);
    JSON.parse(inflateRawSync(event).toString());
  }
  rows += found.length;
  const last = found.at(-1);
  if (last === undefined) break;
  after = [last.received_at, last.id];
}
await client.end();
console.log(rows);
