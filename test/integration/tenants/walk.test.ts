import { randomUUID } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { createArchivePool, createArchiveWriter } from "@assay/archive";
import { migrateArchive } from "@assay/archive/migrate";
import { signWebhook } from "@assay/fingerprint";
import { isRecord, type Role, ROLES } from "@assay/protocol";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createDatabase, startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { aVerdictRow } from "../archive/open-archive.ts";
import { type Installation, openInstallation } from "../client/installation.ts";
import { type Answer, anEventId, aProblem, type OpenIngress, startIngress } from "../ingress/open-ingress.ts";
import { keysFile, tenantsFile } from "./tenant-files.ts";

const TENANTS = ["eu", "us"] as const;
type Tenant = (typeof TENANTS)[number];
const otherThan = (tenant: Tenant): Tenant => (tenant === "eu" ? "us" : "eu");

/** Every route behind keys, and the roles that it is for. */
const FOR: Readonly<Record<string, readonly Role[]>> = {
  "POST /v1/submissions": ["submit", "admin"],
  "POST /v1/outcomes": ["submit", "admin"],
  "GET /v1/verdicts/{id}": ["read", "admin"],
  "GET /v1/submissions/{id}": ["read", "admin"],
  "GET /v1/events/{event_id}/verdicts": ["read", "admin"],
  "GET /v1/verdicts": ["read", "admin"],
  "GET /v1/events/{event_id}": ["read_personal", "admin"],
  "GET /v1/stream": ["read", "admin"],
};
/** Those that read the archive. */
const OF_THE_ARCHIVE = ["GET /v1/verdicts", "GET /v1/events/{event_id}"];
/** What they may answer to a caller who asks for another tenant's. */
const FOREIGN: Readonly<Record<string, readonly number[]>> = {
  // The caller's own submission, new or with other content than before.
  "POST /v1/submissions": [202, 409],
  "POST /v1/outcomes": [404],
  "GET /v1/verdicts/{id}": [404],
  "GET /v1/submissions/{id}": [404],
  // The caller's own verdicts on an event that both have seen.
  "GET /v1/events/{event_id}/verdicts": [200],
  // The caller's own verdicts, and his own part in an event that both have seen.
  "GET /v1/verdicts": [200],
  "GET /v1/events/{event_id}": [200],
  // The caller's own verdicts, all that there are.
  "GET /v1/stream": [200],
};
/** Routes that Fingerprint proves itself to otherwise. */
const WEBHOOKS = ["POST /v1/webhooks/fingerprint", "POST /v1/webhooks/fingerprint/{tenant}"];

/** What both tenants submit: the same event under the same Idempotency-Key. */
const SAME = { key: "same-operation", eventId: anEventId() };

let door: OpenIngress;
let postgres: PrivatePostgres | undefined;
const parts = new Map<Tenant, Installation>();
const ids = new Map<Tenant, string>();

beforeAll(async () => {
  const redisUrl = inject("redisUrl");
  if (withoutPostgres === undefined) postgres = await startPostgres();
  const archiveUrl = postgres && (await createDatabase(postgres));
  const env = {
    DATABASE_URL: archiveUrl,
    ASSAY_INGRESS_KEYS: undefined,
    ASSAY_WEBHOOK_SECRETS: undefined,
    ASSAY_TENANTS_FILE: tenantsFile({
      eu: { webhook_secrets: ["secret-of-eu"] },
      us: { webhook_secrets: ["secret-of-us"] },
    }),
    ASSAY_KEYS_FILE: keysFile(
      TENANTS.flatMap((tenant) =>
        ROLES.map((role) => ({ tenant, name: role, secret: `${tenant}-${role}`, roles: [role] })),
      ),
    ),
  };
  door = await startIngress(redisUrl, env, { heartbeatMs: 50 });
  for (const tenant of TENANTS) {
    parts.set(tenant, await openInstallation(redisUrl, { prefix: door.installation.prefix, tenant }));
    const { json } = await ask("POST /v1/submissions", tenant, `${tenant}-submit`);
    ids.set(tenant, isRecord(json) ? String(json["id"]) : "");
    await parts.get(tenant)?.decideAll();
  }
  if (archiveUrl !== undefined) await archive(archiveUrl);
});
afterAll(async () => {
  for (const part of parts.values()) await part.close();
  await door.close();
  await postgres?.stop();
});

/** Archives what both tenants submitted. */
async function archive(connectionString: string): Promise<void> {
  await migrateArchive({ connectionString });
  const pool = createArchivePool({ connectionString });
  const rows = TENANTS.map((tenant) => {
    const context = { reference: `order-of-${tenant}`, user_id: `anna-of-${tenant}` };
    const verdict = { id: ids.get(tenant) ?? "", event_id: SAME.eventId, context };
    const submission = JSON.stringify({ kind: "lookup", event_id: SAME.eventId, context });
    const event = deflateRawSync(JSON.stringify({ event_id: SAME.eventId, linked_id: `anna-of-${tenant}` }));
    return aVerdictRow(verdict, { tenant, submission, event });
  });
  await createArchiveWriter({ pool }).write(rows);
  await pool.stop();
}

/** Asks for what is `owner`'s with a key. */
function ask(route: string, owner: Tenant, secret: string | undefined): Promise<Answer> {
  const [method = "", pattern = ""] = route.split(" ");
  if (route === "GET /v1/stream") return askStream(secret);
  const path = pattern.replace("{id}", ids.get(owner) ?? "").replace("{event_id}", SAME.eventId);
  return door.request(path, {
    method,
    headers: {
      ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
      ...(method === "GET" ? {} : { "content-type": "application/json", "idempotency-key": keyFor(route) }),
    },
    ...(method === "GET" ? {} : { body: JSON.stringify(bodyOf(route, owner)) }),
  });
}

/** Reads a stream from its beginning until it has nothing more to bring at once. */
async function askStream(secret: string | undefined): Promise<Answer> {
  const path = "/v1/stream?from=beginning";
  const headers: Record<string, string> = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
  const response = await fetch(`${door.baseUrl}${path}`, { headers });
  if (response.status !== 200) {
    await response.body?.cancel();
    return door.request(path, { headers });
  }
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString("utf8");
    if (text.includes(": heartbeat")) break;
  }
  return { status: 200, type: "text/event-stream", headers: response.headers, text, json: undefined };
}

// An outcome is told anew each time.
function keyFor(route: string): string {
  return route === "POST /v1/outcomes" ? randomUUID() : SAME.key;
}

function bodyOf(route: string, owner: Tenant): object {
  return route === "POST /v1/outcomes"
    ? { submission_id: ids.get(owner), outcome: "login_failed" }
    : { event_id: SAME.eventId, context: { reference: `order-of-${owner}`, user_id: `anna-of-${owner}` } };
}

// Without a Postgres whoever may read the archive is told that there is none, and who may not is refused all the same.
const isThere = (route: string) => withoutPostgres === undefined || !OF_THE_ARCHIVE.includes(route);
const cases = Object.keys(FOR).flatMap((route) =>
  TENANTS.flatMap((owner) => ROLES.map((role) => ({ route, owner, role }))),
);
const isFor = ({ route, role }: (typeof cases)[number]) => FOR[route]?.includes(role) === true;

describe("the walk", () => {
  test("goes over every route that the server describes", async () => {
    const { json } = await door.request("/openapi.json");
    const paths = isRecord(json) && isRecord(json["paths"]) ? json["paths"] : {};
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(isRecord(methods) ? methods : {}).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(routes.toSorted()).toEqual([...Object.keys(FOR), ...WEBHOOKS].toSorted());
  });

  test.each(Object.keys(FOR))("%s answers 401 to whoever has no key, or none of ours", async (route) => {
    for (const secret of [undefined, "", "eu-", "eu-root", "submit", "secret-of-eu"]) {
      const answer = await ask(route, "eu", secret);
      expect(answer).toEqual(aProblem(401, "unauthorized"));
      expect(answer.text).not.toContain("of-eu");
    }
  });

  test.each(cases.filter((one) => !isFor(one)))(
    "$route answers 403 to the role $role, for its own tenant $owner and for another",
    async ({ route, owner, role }) => {
      for (const tenant of TENANTS) {
        const answer = await ask(route, owner, `${tenant}-${role}`);
        expect(answer).toEqual(aProblem(403, "forbidden"));
        expect(answer.text).not.toContain(`of-${owner}`);
      }
    },
  );

  test.each(cases.filter((one) => isFor(one) && isThere(one.route)))(
    "$route serves the role $role of its own tenant $owner",
    async (one) => {
      const { status, text } = await ask(one.route, one.owner, `${one.owner}-${one.role}`);
      expect([200, 202]).toContain(status);
      // What is submitted here is the caller's own.
      const known = one.route.startsWith("GET ") ? (ids.get(one.owner) ?? "none") : "";
      expect(text).toContain(known);
    },
  );

  test.each(cases.filter((one) => isFor(one) && isThere(one.route)))(
    "$route gives the role $role nothing of another tenant, $owner",
    async (one) => {
      const { route, owner, role } = one;
      const answer = await ask(route, owner, `${otherThan(owner)}-${role}`);
      expect(answer.text).not.toContain(`of-${owner}`);
      expect(FOREIGN[route]).toContain(answer.status);
    },
  );

  test.each(["/v1/verdicts/", "/v1/submissions/"])(
    "%s says of another tenant's id what it says of one that nobody knows",
    async (path) => {
      const read = async (id: string) => {
        const { status, text } = await door.request(`${path}${id}`, { headers: { authorization: "Bearer eu-read" } });
        return { status, text: text.replace(id, "ID") };
      };
      expect(await read(ids.get("us") ?? "")).toEqual(await read(`s_${"a".repeat(26)}`));
    },
  );

  test("tells of another tenant's event as of one that nobody knows", async () => {
    const eventId = anEventId();
    const part = parts.get("us");
    await door.request("/v1/submissions", {
      method: "POST",
      headers: { authorization: "Bearer us-submit", "content-type": "application/json", "idempotency-key": "other" },
      body: JSON.stringify({ event_id: eventId }),
    });
    await part?.decideAll();
    const read = (secret: string) =>
      door.request(`/v1/events/${eventId}/verdicts`, { headers: { authorization: `Bearer ${secret}` } });
    expect((await read("us-read")).json).toMatchObject({ verdicts: [{ event_id: eventId }] });
    expect((await read("eu-read")).json).toEqual({ verdicts: [] });
  });

  test("lets a key for test events submit no event of a visitor, and says what it may", async () => {
    const detail = expect.stringContaining("may send nothing but test events");
    expect(await ask("POST /v1/submissions", "eu", "eu-test")).toEqual(
      aProblem(403, "forbidden", { field: "event_id", detail }),
    );
  });
});

describe("webhooks of several tenants", () => {
  const deliver = (path: string, secret: string, headers: Readonly<Record<string, string>> = {}) => {
    const body = Buffer.from(JSON.stringify({ event_id: anEventId(), timestamp: 1_700_000_000_000 }));
    return door.request(`/v1/webhooks/fingerprint${path}`, {
      method: "POST",
      headers: { "fpjs-event-signature": signWebhook(body, secret), ...headers },
      body,
    });
  };

  test.each(TENANTS)("of %s go to that tenant alone", async (tenant) => {
    const pending = (whose: Tenant) => {
      const { redis, keys } = parts.get(whose) ?? door.installation;
      return redis.zcard(keys.pending("background"));
    };
    const before = await pending(otherThan(tenant));
    const had = await pending(tenant);
    expect(await deliver(`/${tenant}`, `secret-of-${tenant}`)).toMatchObject({ status: 202 });
    expect([await pending(tenant), await pending(otherThan(tenant))]).toEqual([had + 1, before]);
  });

  test.each(TENANTS)("of %s are refused with the other's secret, whatever key they bear", async (tenant) => {
    for (const role of ROLES) {
      const bearing = { authorization: `Bearer ${tenant}-${role}` };
      const answer = await deliver(`/${tenant}`, `secret-of-${otherThan(tenant)}`, bearing);
      expect(answer).toEqual(aProblem(401, "webhook_signature_invalid"));
    }
  });

  test.each(["/mars", "/0", ""])("answer 404 at %j, and name no tenant", async (path) => {
    const answer = await deliver(path, "secret-of-eu");
    expect(answer).toEqual(aProblem(404, "tenant_not_found"));
    expect(answer.text).not.toMatch(/\b(?:eu|us)\b/);
  });
});
