import { parseSealedKeys } from "@assay/fingerprint";
import { describe, expect, test } from "vitest";
import { aTenant } from "../../test/a-tenant.ts";
import { checkEventIds, checkWebhooks } from "./check-doors.ts";

const NOW = 1_795_000_020_000;
const DAY_MS = 86_400_000;
const kind = (name: string, agoMs: number) => ({ name, lastAt: NOW - agoMs, count: 1 });
type Changes = Parameters<typeof aTenant>[0];
const taking = { takesWebhooks: true };
const lookups = { apiKeys: ["k1"], region: "us", rps: 5, burst: 15 } as const;
const sealedKeys = parseSealedKeys(Buffer.alloc(32).toString("base64"));

describe("checkWebhooks", () => {
  test.each<[string, Changes, string, RegExp]>([
    ["none configured", {}, "skip", /Neither/],
    ["those that only the ingress knows of", { abilities: { webhooks: true } }, "skip", /none has come/],
    ["those that come though none are configured here", { seen: { kind: [kind("webhook", 1000)] } }, "skip", /1 s ago/],
    ["one that came", { tenant: taking, seen: { kind: [kind("webhook", 3000)] } }, "ok", /3 s ago/],
    ["none that ever came", { tenant: taking }, "warn", /but none has come yet/],
    [
      "those that only bring events",
      { tenant: { ...taking, webhookVerdicts: "none" } },
      "skip",
      /only bring their events/,
    ],
    [
      "none for a day, while others come",
      { tenant: taking, seen: { kind: [kind("webhook", 2 * DAY_MS), kind("sealed", 1000)] } },
      "warn",
      /2 d ago/,
    ],
    [
      "none for a day on which nobody came",
      { tenant: taking, seen: { kind: [kind("webhook", 2 * DAY_MS), kind("sealed", 2 * DAY_MS)] } },
      "ok",
      /2 d ago/,
    ],
  ])("tells %s", (_, changes, status, says) => {
    const finding = checkWebhooks(aTenant(changes), { now: NOW });
    expect(finding).toMatchObject({ name: "webhooks", status, says: expect.stringMatching(says) });
  });
});

describe("checkEventIds", () => {
  test.each<[string, Changes, string]>([
    ["an API key", { tenant: { lookups } }, "ok"],
    ["an API key of the workers", { abilities: { lookups: true } }, "ok"],
    ["webhooks alone", { tenant: taking }, "ok"],
    ["webhooks of the ingress", { abilities: { lookups: false, webhooks: true } }, "ok"],
    ["sealed results alone", { tenant: { sealedKeys } }, "warn"],
    ["nothing", { abilities: { lookups: false, webhooks: false } }, "fail"],
  ])("knows what brings events by %s", (_, changes, status) => {
    expect(checkEventIds(aTenant(changes))).toMatchObject({ name: "event_ids", status });
  });
});
