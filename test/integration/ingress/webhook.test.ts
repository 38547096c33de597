import { signWebhook } from "@assay/fingerprint";
import { loadSubmissions } from "@assay/ledger";
import { MAX_EVENT_BYTES, webhookId } from "@assay/protocol";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { anEventId, aProblem, type OpenIngress, startIngress, WEBHOOK_SECRETS } from "./open-ingress.ts";

const PATH = "/v1/webhooks/fingerprint";
const JSON_BODY = { "content-type": "application/json" };

let door: OpenIngress;
beforeAll(async () => {
  door = await startIngress(inject("redisUrl"));
});
afterAll(() => door.close());

describe("POST /v1/webhooks/fingerprint", () => {
  test("takes a signed event into the background, byte for byte", async () => {
    const eventId = anEventId();
    const body = `{ "event_id": "${eventId}",  "timestamp": 1700000000000, "x": "é" }`;
    const id = webhookId("0", eventId);
    await expect(deliver(body)).resolves.toMatchObject({
      status: 202,
      json: { id, status: "accepted", durability: "local" },
    });
    const { redis, keys } = door.installation;
    const [loaded] = await loadSubmissions(redis, keys, [id], { token: "t", alone: false });
    expect(loaded).toMatchObject({
      work: { meta: { kind: "webhook", event_id: eventId }, payload: Buffer.from(body) },
    });
  });

  test.each(WEBHOOK_SECRETS)("takes what the secret %s signed", async (secret) => {
    await expect(deliver(anEvent(), { secret })).resolves.toMatchObject({ status: 202 });
  });

  test.each([
    ["the tenant of this installation", `${PATH}/0`, { "content-type": "application/json" }],
    ["any content type", PATH, { "content-type": "application/octet-stream" }],
    ["no content type", PATH, {}],
  ])("takes %s", async (_, path, headers) => {
    await expect(deliver(anEvent(), { path, headers })).resolves.toMatchObject({ status: 202 });
  });

  test("takes a flat v3 webhook", async () => {
    const eventId = anEventId();
    const body = JSON.stringify({ requestId: eventId, url: "https://a.example", timestamp: 1_700_000_000_000 });
    await expect(deliver(body)).resolves.toMatchObject({ status: 202, json: { id: webhookId("0", eventId) } });
  });

  test("says duplicate of an event that came before, also with another body, and keeps the first", async () => {
    const eventId = anEventId();
    const first = anEvent(eventId);
    await deliver(first);
    const again = await deliver(anEvent(eventId, { linked_id: "another" }));
    expect(again).toMatchObject({ status: 202, json: { status: "duplicate" } });
    const { redis, keys } = door.installation;
    expect(await redis.hget(keys.record(webhookId("0", eventId)), "p")).toBe(first);
  });

  test("says duplicate, not the verdict, once it is decided", async () => {
    const body = anEvent();
    await deliver(body);
    await door.decideAll("block");
    const { status, json } = await deliver(body);
    expect({ status, json }).toEqual({ status: 202, json: expect.objectContaining({ status: "duplicate" }) });
  });

  test("takes an event of the longest size, and answers 413 beyond it", async () => {
    const padded = (bytes: number) => anEvent().padEnd(bytes, " ");
    await expect(deliver(padded(MAX_EVENT_BYTES))).resolves.toMatchObject({ status: 202 });
    expect(await deliver(padded(MAX_EVENT_BYTES + 1))).toEqual(
      aProblem(413, "payload_too_large", { detail: expect.stringContaining(`${MAX_EVENT_BYTES} bytes`) }),
    );
  });
});

describe("POST /v1/webhooks/fingerprint, refused", () => {
  test("answers 401 to a webhook without a signature", async () => {
    expect(await post(PATH, anEvent(), {})).toEqual(aProblem(401, "webhook_signature_missing"));
  });

  test("answers 401 to one wrong byte of the signature", async () => {
    const body = anEvent();
    const signature = signWebhook(Buffer.from(body), WEBHOOK_SECRETS[0]);
    const flipped = signature.slice(0, -1) + (signature.endsWith("0") ? "1" : "0");
    expect(await post(PATH, body, { "fpjs-event-signature": flipped })).toEqual(
      aProblem(401, "webhook_signature_invalid"),
    );
  });

  test("answers 401 to one changed byte of the body", async () => {
    const body = anEvent();
    const signature = signWebhook(Buffer.from(body), WEBHOOK_SECRETS[0]);
    expect(await post(PATH, `${body} `, { "fpjs-event-signature": signature })).toEqual(
      aProblem(401, "webhook_signature_invalid"),
    );
  });

  test("answers 401 to a signature by an unknown secret", async () => {
    expect(await deliver(anEvent(), { secret: "unknown" })).toEqual(aProblem(401, "webhook_signature_invalid"));
  });

  test("answers 404 to another tenant", async () => {
    expect(await deliver(anEvent(), { path: `${PATH}/1` })).toEqual(aProblem(404, "tenant_not_found"));
  });

  test.each(["{", "", "not json"])("answers 400 to %j, which is not JSON", async (body) => {
    expect(await deliver(body)).toEqual(aProblem(400, "invalid_json"));
  });

  test.each(["[]", "{}", '{"event_id":"a/b","timestamp":1700000000000}', '{"event_id":"1.a"}'])(
    "answers 400 to %s, which is no event",
    async (body) => {
      expect(await deliver(body)).toEqual(aProblem(400, "webhook_not_an_event"));
    },
  );
});

describe("POST /v1/webhooks/fingerprint without a secret", () => {
  let basic: OpenIngress;
  beforeAll(async () => {
    basic = await startIngress(inject("redisUrl"), {
      ASSAY_WEBHOOK_SECRETS: undefined,
      ASSAY_WEBHOOK_BASIC_AUTH: "fp:let-me-in",
    });
  });
  afterAll(() => basic.close());

  test.each([
    ["user and password", PATH, { authorization: `Basic ${btoa("fp:let-me-in")}` }],
    ["the password as token", `${PATH}?token=let-me-in`, {}],
  ])("takes %s", async (_, path, headers) => {
    await expect(post(path, anEvent(), headers, basic)).resolves.toMatchObject({ status: 202 });
  });

  test("answers 401 to another password, and says what it takes", async () => {
    const answer = await post(PATH, anEvent(), { authorization: `Basic ${btoa("fp:let-me-out")}` }, basic);
    expect(answer).toEqual(aProblem(401, "unauthorized"));
    expect(answer.headers.get("www-authenticate")).toBe('Basic realm="assay"');
  });

  test("never logs the token", async () => {
    await post(`${PATH}?token=let-me-in`, anEvent(), {}, basic);
    expect(basic.log.join("\n")).not.toContain("let-me-in");
  });
});

describe("POST /v1/webhooks/fingerprint without any credentials", () => {
  test("answers 503 until somebody configures them", async () => {
    const open = await startIngress(inject("redisUrl"), { ASSAY_WEBHOOK_SECRETS: undefined });
    const answer = await post(PATH, anEvent(), {}, open);
    expect(answer).toEqual(aProblem(503, "webhook_auth_not_configured", { retryable: true }));
    expect(answer.headers.get("retry-after")).toBe("300");
    expect(open.log.join("\n")).toContain("Webhooks are refused");
    await open.close();
  });
});

interface Delivery {
  readonly path?: string;
  readonly secret?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function deliver(body: string, { path = PATH, secret = WEBHOOK_SECRETS[0], headers = JSON_BODY }: Delivery = {}) {
  const signature = signWebhook(Buffer.from(body), secret);
  return post(path, body, { ...headers, "fpjs-event-signature": signature });
}

// As bytes: text would be sent with a content type that fetch makes up.
function post(path: string, body: string, headers: Readonly<Record<string, string>>, at = door) {
  return at.request(path, { method: "POST", body: Buffer.from(body), headers });
}

function anEvent(eventId: string = anEventId(), more: object = {}): string {
  return JSON.stringify({ event_id: eventId, timestamp: 1_700_000_000_000, ...more });
}
