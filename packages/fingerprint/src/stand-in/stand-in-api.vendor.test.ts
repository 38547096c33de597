import { isRecord } from "@assay/protocol";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { hasVendorFacts, VENDOR_FACTS, vendorFile } from "../../testing/vendor-facts.ts";
import { aBot, anEvent } from "./event.ts";
import type { Misbehaviour } from "./misbehaviour.ts";
import { type StandInApi, startStandInApi } from "./stand-in-api.ts";

let api: StandInApi;
beforeEach(async () => {
  api = await startStandInApi({ apiKeys: ["secret"], rulesets: { rs_1: "allow", rs_2: "block" }, inventsEvents: true });
});
afterEach(() => api.stop());

describe.skipIf(!hasVendorFacts)(`the stand-in by ${VENDOR_FACTS}`, () => {
  test.each([
    ["an invented event", "a.b"],
    ["one that a ruleset allows", "a.b?ruleset_id=rs_1"],
    ["one that a ruleset blocks", "a.b?ruleset_id=rs_2"],
    ["an ordinary visitor", "ordinary.1"],
    ["a bot", "bot.1"],
  ])("answers with an event of the published schema: %s", async (_, path) => {
    api.add(anEvent({ event_id: "ordinary.1" }));
    api.add(aBot({ event_id: "bot.1" }));
    const { status, body } = await ask(path);
    expect([status, faultsOf("Event", body)]).toEqual([200, []]);
  });

  test("answers with another visitor of the published schema", async () => {
    api.misbehave({ kind: "flip_flop", with: "another_visitor" }, { times: 2 });
    await ask("a.b");
    expect(faultsOf("Event", (await ask("a.b")).body)).toEqual([]);
  });

  test("finds the fault in an event of wrong types", async () => {
    api.misbehave({ kind: "wrong_schema", as: "wrong_types" });
    expect(faultsOf("Event", (await ask("a.b")).body)).not.toEqual([]);
  });

  test.each<[string, Misbehaviour | undefined, string, string]>([
    ["400_event_id_invalid", undefined, "a%2Fb", "secret"],
    ["400_ruleset_not_found", undefined, "a.b?ruleset_id=rs_3", "secret"],
    ["403_secret_api_key_not_found", undefined, "a.b", "other"],
    ["403_secret_api_key_required", undefined, "a.b", ""],
    ["403_subscription_not_active", { kind: "forbidden", code: "subscription_not_active" }, "a.b", "secret"],
    ["403_wrong_region", { kind: "forbidden", code: "wrong_region" }, "a.b", "secret"],
    ["403_feature_not_enabled", { kind: "forbidden", code: "feature_not_enabled" }, "a.b", "secret"],
    ["404_event_not_found", { kind: "not_found" }, "a.b", "secret"],
    ["429_too_many_requests", { kind: "throttled", as: "json" }, "a.b", "secret"],
    ["500_internal_server_error", { kind: "failing", status: 500 }, "a.b", "secret"],
  ])("words %s as the example does", async (example, misbehaviour, path, key) => {
    if (misbehaviour !== undefined) api.misbehave(misbehaviour);
    const { status, body } = await ask(path, key);
    expect(status).toBe(Number(example.slice(0, 3)));
    expect(body).toEqual(JSON.parse(vendorFile(`examples/v4/errors/${example}.json`).toString()));
    expect(faultsOf("ErrorResponse", body)).toEqual([]);
  });

  test("answers a search with a page of the published schema", async () => {
    for (const event_id of ["a.b", "c.d"]) api.add(anEvent({ event_id }));
    const { status, body } = await search("?limit=1&total_hits=10");
    expect([status, faultsOf("EventSearch", body)]).toEqual([200, []]);
    expect(body).toMatchObject({ pagination_key: expect.any(String), total_hits: 2 });
  });

  test.each([
    ["400_limit_invalid", "?limit=101"],
    ["400_start_time_invalid", "?start=x"],
    ["400_end_time_invalid", "?end=x"],
    ["400_reverse_invalid", "?reverse=x"],
    ["400_pagination_key_invalid", "?pagination_key=x"],
  ])("words %s of a search as the example does", async (example, query) => {
    const { status, body } = await search(query);
    expect(status).toBe(400);
    expect(body).toEqual(JSON.parse(vendorFile(`examples/v4/errors/${example}.json`).toString()));
  });

  test("has a 503 of the published schema", async () => {
    api.misbehave({ kind: "failing", status: 503 });
    expect(faultsOf("ErrorResponse", (await ask("a.b")).body)).toEqual([]);
  });
});

async function ask(path: string, key = "secret") {
  const response = await fetch(`${api.url}/v4/events/${path}`, { headers: { authorization: `Bearer ${key}` } });
  const body: unknown = await response.json();
  return { status: response.status, body };
}

async function search(query: string) {
  const response = await fetch(`${api.url}/v4/events${query}`, { headers: { authorization: "Bearer secret" } });
  const body: unknown = await response.json();
  return { status: response.status, body };
}

type SchemaName = "Event" | "EventSearch" | "ErrorResponse";

const schemas = new Map<string, ValidateFunction>();

/** What the published schema of this name finds wrong with a value. */
function faultsOf(name: SchemaName, value: unknown): string[] {
  const validate = schemas.get(name) ?? compile(name);
  schemas.set(name, validate);
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function compile(name: SchemaName): ValidateFunction {
  const document: unknown = parse(vendorFile("openapi/fingerprint-server-api-v4-with-examples.yaml").toString());
  if (!isRecord(document)) throw new TypeError("The published document is no object.");
  // Formats such as `ipv4` and `int64` are notes for readers.
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema({ $id: "vendor", components: document["components"] });
  return ajv.compile({ $ref: `vendor#/components/schemas/${name}` });
}
