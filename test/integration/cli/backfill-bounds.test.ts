import { backfillId, createKeys } from "@assay/protocol";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { assay } from "../../support/assay-command.ts";
import { anEvent, anEventId } from "../../support/events.ts";
import { eventually } from "../../support/eventually.ts";
import { startFingerprintApi } from "../../support/fingerprint-api.ts";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { aVerdictRow, DAY_MS } from "../archive/open-archive.ts";
import { tenantsFile } from "../tenants/tenant-files.ts";
import { backfillIds, openBackfillStage } from "./backfill-stage.ts";

describe.skipIf(withoutPostgres)("the bounds of assay backfill", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test("each tenant pages its own workspace, asks its own archive and waits for no other", async () => {
    const other = await startFingerprintApi({ apiKeys: ["shop-key"] });
    onTestFinished(() => other.stop());
    const fingerprint = { api_keys: ["shop-key"], api_url: other.url, rps: 200, burst: 50 };
    const stage = await openBackfillStage(server, {
      env: { ASSAY_TENANTS_FILE: tenantsFile({ shop: { fingerprint } }) },
    });
    const { stack, archive, env } = stage;
    // Three events of both workspaces under the same ids, and more of the default tenant alone.
    const both = stage.identify(3);
    const alone = stage.identify(120);
    for (const event of both) other.add(event);
    const [first, second] = both;
    if (first === undefined || second === undefined) throw new Error("There must be three.");
    await archive.writer.write([
      aVerdictRow({ event_id: first.event_id }),
      aVerdictRow({ event_id: second.event_id }, { tenant: "shop" }),
    ]);
    const ofShop = async () => {
      const run = await assay(["backfill", "--json", "--since", "1d", "--tenant", "shop"], { env });
      const counts: unknown = JSON.parse(run.stdout);
      return counts;
    };
    const [own, shop] = await Promise.all([stage.backfill(), ofShop()]);
    expect(own.counts).toMatchObject({ tenant: "0", seen: 123, known: 1, submitted: 122 });
    expect(shop).toMatchObject({ tenant: "shop", seen: 3, known: 1, submitted: 2 });
    expect((await stage.pending()).toSorted()).toEqual(backfillIds([...both.slice(1), ...alone]));
    const keys = createKeys({ prefix: stack.prefix, tenant: "shop" });
    expect((await stack.redis.zrange(keys.pending("background"), 0, "-1")).toSorted()).toEqual(
      both
        .filter((event) => event !== second)
        .map(({ event_id: id }) => backfillId("shop", id))
        .toSorted(),
    );
  });

  test("names what it cannot judge, where the archive keeps verdicts for less long", async () => {
    const stage = await openBackfillStage(server, { env: { ASSAY_RETENTION_DAYS: "3" } });
    const { env } = stage;
    stage.identify(2);
    const said = async (since: string, ...args: string[]) => {
      const { exitCode, stderr, stdout } = await assay(["backfill", "--since", since, ...args], { env });
      return [exitCode, stderr, stdout];
    };
    const refused = expect.stringMatching(
      /keeps verdicts for 3 days \(ASSAY_RETENTION_DAYS\).*Name a --since of 20.*Z/,
    );
    expect(await said("73h")).toEqual([2, refused, ""]);
    expect(await said("73h", "--dry-run")).toEqual([2, refused, ""]);
    expect(await said("3d")).toEqual([0, "", expect.stringContaining("2  submitted")]);
  });

  test("takes what was made at --since, and not what was made at --until", async () => {
    const stage = await openBackfillStage(server);
    const since = Date.now() - 3 * DAY_MS;
    const until = since + DAY_MS;
    const made = (timestamp: number, ids = 1) =>
      Array.from({ length: ids }, () => {
        const event = anEvent({ event_id: anEventId(timestamp), timestamp });
        stage.stack.api.add(event);
        return event;
      });
    const inside = [...made(since), ...made(until - 1)];
    for (const timestamp of [since - 1, until]) made(timestamp);
    const range = ["--since", String(since), "--until", String(until)];
    const { stdout } = await assay(["backfill", "--json", ...range], { env: stage.env });
    expect(JSON.parse(stdout)).toMatchObject({ seen: 2, submitted: 2 });
    expect((await stage.pending()).toSorted()).toEqual(backfillIds(inside));
  });

  test("counts once what was made in one moment, over pages and parts whose pagination key is lost", async () => {
    const stage = await openBackfillStage(server, { rps: 10, burst: 1 });
    const { stack, env } = stage;
    const since = Date.now() - 3 * DAY_MS;
    // The moment at which the first part ends, and another within the second.
    const events = [since + DAY_MS, since + DAY_MS + 5000].flatMap((timestamp) =>
      Array.from({ length: 250 }, () => anEvent({ event_id: anEventId(timestamp), timestamp })),
    );
    for (const event of events) stack.api.add(event);
    // Of the edge, which the search leaves out.
    stack.api.add(anEvent({ timestamp: since + DAY_MS, source: "edge" }));
    const running = assay(["backfill", "--json", "--since", String(since)], { env });
    for (const reached of [100, 300]) {
      await eventually(async () => (await stage.pending()).length >= reached, { timeoutMs: 30_000 });
      const error = { code: "request_cannot_be_parsed", message: "invalid pagination key" };
      stack.api.misbehave({ kind: "answer", status: 400, body: { error } });
    }
    expect(JSON.parse((await running).stdout)).toMatchObject({ seen: 500, submitted: 500, duplicates: 0, pending: 0 });
    expect((await stage.pending()).toSorted()).toEqual(backfillIds(events));
  });
});
