import { spawnSync } from "node:child_process";
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { anEvent } from "./event.ts";
import { type Call, type StandInApi, type StandInOptions, startStandInApi } from "./stand-in-api.ts";

const ID = "1708102555327.NLOjmg";

const open: StandInApi[] = [];
afterEach(async () => {
  for (const api of open.splice(0)) await api.stop();
});

describe("startStandInApi", () => {
  test("answers with the event that it was given, whatever other parameters are there", async () => {
    const api = await start();
    const event = anEvent({ event_id: ID });
    api.add(event);
    expect(await ask(api, `${ID}?ii=sdk`)).toEqual({ status: 200, body: event });
  });

  test.each<[string, StandInOptions, string, Record<string, string>, number, string]>([
    ["an event that it does not know", {}, ID, { authorization: "Bearer a" }, 404, "event_not_found"],
    ["what is no event id", {}, "a%2Fb", { authorization: "Bearer a" }, 400, "request_cannot_be_parsed"],
    ["a request without a key", {}, ID, {}, 403, "secret_api_key_required"],
    ["an empty key", {}, ID, { authorization: "Bearer " }, 403, "secret_api_key_required"],
    ["v3's way to send a key", {}, ID, { "auth-api-key": "a" }, 403, "secret_api_key_required"],
    ["a key of nobody's", { apiKeys: ["a"] }, ID, { authorization: "Bearer b" }, 403, "secret_api_key_not_found"],
    [
      "a ruleset that it does not know",
      { inventsEvents: true },
      `${ID}?ruleset_id=rs_1`,
      { authorization: "Bearer a" },
      400,
      "ruleset_not_found",
    ],
  ])("refuses %s", async (_, options, path, headers, status, code) => {
    const { status: answered, body } = await ask(await start(options), path, headers);
    expect({ answered, body }).toMatchObject({ answered: status, body: { error: { code } } });
  });

  test("knows several keys", async () => {
    const api = await start({ apiKeys: ["a", "b"], inventsEvents: true });
    const answers = await Promise.all(["a", "b"].map((key) => ask(api, ID, { authorization: `Bearer ${key}` })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });

  test.each(["allow", "block"] as const)("says what a ruleset %ss, where it is asked for", async (type) => {
    const api = await start({ rulesets: { rs_1: type }, inventsEvents: true });
    expect((await ask(api, `${ID}?ruleset_id=rs_1`)).body).toMatchObject({ rule_action: { ruleset_id: "rs_1", type } });
    expect((await ask(api, ID)).body).not.toHaveProperty("rule_action");
  });

  test("gives the rule action of an event where its ruleset is asked for", async () => {
    const api = await start();
    const event = anEvent({ event_id: ID, rule_action: { ruleset_id: "rs_1", type: "ignore" } });
    api.add(event);
    expect(await ask(api, `${ID}?ruleset_id=rs_1`)).toEqual({ status: 200, body: event });
    expect((await ask(api, ID)).body).not.toHaveProperty("rule_action");
    expect((await ask(api, `${ID}?ruleset_id=rs_2`)).status).toBe(400);
  });

  test("invents an ordinary event of the time that its id says, and the same one again", async () => {
    const api = await start({ inventsEvents: true });
    const first = await ask(api, ID);
    expect(first).toMatchObject({ status: 200, body: { event_id: ID, timestamp: 1708102555327, bot: "not_detected" } });
    expect(await ask(api, ID)).toEqual(first);
  });

  test("throttles each key beyond its rate, without saying for how long", async () => {
    const api = await start({ rateLimit: { rps: 0.001, burst: 2 }, inventsEvents: true });
    const statuses: number[] = [];
    for (const key of ["a", "a", "a", "b"]) {
      const response = await fetch(`${api.url}/v4/events/${ID}`, { headers: { authorization: `Bearer ${key}` } });
      statuses.push(response.status);
      expect(response.headers.has("retry-after")).toBe(false);
      await response.text();
    }
    expect(statuses).toEqual([200, 200, 429, 200]);
  });

  test.each([
    ["another path", "GET", "/v4/visitors"],
    ["another version", "GET", `/events/${ID}`],
    ["another method", "PATCH", `/v4/events/${ID}`],
  ])("has nothing but lookup and search: %s", async (_, method, path) => {
    const api = await start({ inventsEvents: true });
    const headers = { authorization: "Bearer a" };
    expect((await fetch(`${api.url}${path}`, { method, headers })).status).toBe(404);
  });

  test("tells of every request", async () => {
    const calls: Call[] = [];
    const api = await start({ inventsEvents: true, onCall: (call) => void calls.push(call) });
    await ask(api, ID, { authorization: "Bearer secret" });
    await ask(api, "a.b", {});
    expect(calls).toEqual([
      { eventId: ID, at: expect.any(Number), keyId: "2bb80d53", status: 200 },
      { eventId: "a.b", at: expect.any(Number), status: 403 },
    ]);
  });

  test("takes the port it is given, and rejects when that is taken", async () => {
    const api = await start();
    const port = Number(new URL(api.url).port);
    await expect(start({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
    await api.stop();
    expect((await start({ port })).url).toBe(api.url);
  });

  test("cuts every connection when it is stopped, and may be stopped twice", async () => {
    const api = await start();
    api.misbehave({ kind: "hang" });
    const hanging = ask(api, ID);
    const silent = connect(Number(new URL(api.url).port), "127.0.0.1");
    silent.on("error", () => undefined);
    const closed = new Promise((resolve) => silent.once("close", resolve));
    await new Promise((resolve) => silent.once("connect", resolve));
    // The silent one was accepted when an answer on another connection has come.
    await ask(api, "a.b");
    await Promise.all([api.stop(), api.stop()]);
    await api.stop();
    await expect(hanging).rejects.toThrow("fetch failed");
    await closed;
  });

  test("lets its process end when it is stopped in the middle of a body", () => {
    const program = `
      const { startStandInApi } = await import("./stand-in-api.ts");
      const api = await startStandInApi();
      api.misbehave({ kind: "slow_loris" });
      await fetch(api.url + "/v4/events/a.b", { headers: { authorization: "Bearer a" } });
      await api.stop();`;
    const node = ["--import", "tsx", "--conditions=@assay/source", "--input-type=module", "--eval", program];
    const { status, stderr } = spawnSync(process.execPath, node, {
      cwd: import.meta.dirname,
      encoding: "utf8",
      timeout: 20_000,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  }, 30_000);
});

async function start(options?: StandInOptions): Promise<StandInApi> {
  const api = await startStandInApi(options);
  open.push(api);
  return api;
}

async function ask(api: StandInApi, path: string, headers: Record<string, string> = { authorization: "Bearer a" }) {
  const response = await fetch(`${api.url}/v4/events/${path}`, { headers });
  const body: unknown = await response.json();
  return { status: response.status, body };
}
