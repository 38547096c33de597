import type { Verdict } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { isWantedBy } from "./endpoint.ts";
import { readEndpointsFile } from "./endpoints-file.ts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const SCOPE = { tenants: ["0", "shop-eu"], hasAllowed: false };
const ORDERS = { name: "orders", url: "https://example.com/hook?k=hidden", secrets: [SECRET] };

const read = (entries: unknown, scope = SCOPE) => readEndpointsFile(JSON.stringify({ endpoints: entries }), scope);

function faults(entries: unknown, scope = SCOPE): string[] {
  const result = read(entries, scope);
  return result.ok ? [] : result.faults.map(({ name, message }) => `${name} ${message}`);
}

describe("readEndpointsFile", () => {
  test("reads an endpoint, and what holds where it says nothing", () => {
    expect(read([ORDERS])).toEqual({
      ok: true,
      endpoints: [
        {
          ...ORDERS,
          tenant: "0",
          fields: "reasons",
          late: false,
          backfilled: false,
          allowPrivate: false,
          headers: {},
          resumedAt: 0,
        },
      ],
    });
  });

  test("reads YAML, with all settings", () => {
    const text = `
      endpoints:
        - name: desk
          tenant: shop-eu
          url: http://desk.internal/hook
          secrets: [${SECRET}, ${SECRET}]
          filter: action != "allow"
          fields: full
          late: true
          backfilled: true
          allow_private: true
          headers: { authorization: Bearer hidden }
          resumed: 2026-11-27T12:00:00Z`;
    const result = readEndpointsFile(text, SCOPE);
    expect(result).toMatchObject({
      ok: true,
      endpoints: [{ fields: "full", late: true, allowPrivate: true, resumedAt: Date.UTC(2026, 10, 27, 12) }],
    });
  });

  test.each([
    [{ ...ORDERS, name: "Orders" }, "endpoints[0].name must be 1 to 64 characters of a-z, 0-9, _ and -."],
    [{ ...ORDERS, tenant: "other" }, "endpoints[0].tenant is no tenant of this installation."],
    [{ ...ORDERS, url: "example.com" }, "endpoints[0].url must be a URL."],
    [{ ...ORDERS, url: "ftp://example.com" }, "endpoints[0].url must be https://."],
    [
      { ...ORDERS, url: "http://example.com" },
      "endpoints[0].url must be https://. Only a private endpoint may do without.",
    ],
    [
      { ...ORDERS, url: "https://u:p@example.com" },
      "endpoints[0].url holds a user or a password. Set an authorization header instead.",
    ],
    [{ ...ORDERS, url: "https://example.com/#x" }, "endpoints[0].url has a fragment, which no server sees. Remove it."],
    [{ ...ORDERS, secrets: [] }, "endpoints[0].secrets is an empty list: nothing could be signed."],
    [
      { ...ORDERS, secrets: ["whsec_hidden"] },
      "endpoints[0].secrets[0] must be whsec_ and 24 to 64 random bytes in base64.",
    ],
    [{ ...ORDERS, fields: "some" }, "endpoints[0].fields must be one of minimal, reasons, full."],
    [{ ...ORDERS, late: "no" }, "endpoints[0].late must be true or false."],
    [{ ...ORDERS, resumed: "yesterday" }, "endpoints[0].resumed must be a time such as 2026-11-27T12:00:00Z."],
    [{ ...ORDERS, filtr: "x" }, "endpoints[0] has filtr, which is not known here. Did you mean filter?"],
    [
      { ...ORDERS, headers: { "Webhook-Id": "x" } },
      "endpoints[0].headers must be a header by its name, and neither one of ours nor one of the connection.",
    ],
  ])("says what is wrong with %j", (entry, expected) => {
    expect(faults([entry])).toEqual([expected]);
  });

  test("shows a filter's fault with a caret", () => {
    expect(faults([{ ...ORDERS, filter: `acton == "block"` }])).toEqual([
      `endpoints[0].filter column 1: acton is not a known name. Did you mean action?\n      acton == "block"\n      ^`,
    ]);
  });

  test("refuses a name that another endpoint has, of whatever tenant", () => {
    expect(faults([ORDERS, { ...ORDERS, tenant: "shop-eu" }])).toEqual([
      "endpoints[1].name is that of another endpoint too.",
    ]);
  });

  test("takes http where a block of addresses is named", () => {
    expect(faults([{ ...ORDERS, url: "http://example.com" }], { ...SCOPE, hasAllowed: true })).toEqual([]);
  });

  test("shows no secret, header or URL in a fault", () => {
    const entry = {
      ...ORDERS,
      url: "http://hidden@h",
      secrets: ["hidden"],
      headers: { hidden: "hidden\n" },
      hidden_1: 1,
    };
    expect(faults([entry]).join("\n").replaceAll("headers.hidden", "")).not.toContain("hidden");
  });
});

describe("isWantedBy", () => {
  const verdict: Verdict = {
    schema: "assay.verdict/1",
    id: "s_1",
    kind: "lookup",
    action: "block",
    score: 0,
    reasons: [],
    shadow: [],
    unknown: [],
    checks: {},
    coverage: { rules: 0, judged: 0 },
    ruleset: { name: "r", digest: "d", engine: "e" },
    received_at: 1,
    decided_at: 1,
  };

  const wants = (entry: object, over: object) => {
    const result = read([{ ...ORDERS, ...entry }]);
    const [endpoint] = result.ok ? result.endpoints : [];
    if (endpoint === undefined) throw new Error("The entry must be usable.");
    return isWantedBy(endpoint, { ...verdict, ...over });
  };

  test.each([
    [{}, {}, true],
    [{}, { late: true }, false],
    [{ late: true }, { late: true }, true],
    [{}, { kind: "backfill" }, false],
    [{ backfilled: true }, { kind: "backfill" }, true],
    [{ filter: `action == "allow"` }, {}, false],
    [{ filter: `action == "block"` }, {}, true],
    [{ late: true, backfilled: true }, { test: true }, false],
  ])("of %j for %j is %j", (entry, over, expected) => {
    expect(wants(entry, over)).toBe(expected);
  });
});
