import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "@assay/host";
import { afterEach, beforeEach, expect, describe, test, vi } from "vitest";
import { loadConfig } from "./config.ts";
import { type RotatingCredentials, rotateCredentials } from "./rotating-credentials.ts";

let folder: string;
let lines: string[];
let rotating: RotatingCredentials | undefined;

beforeEach(() => {
  vi.useFakeTimers();
  folder = mkdtempSync(join(tmpdir(), "assay-rotating-"));
  lines = [];
});
afterEach(async () => {
  await rotating?.stop();
  vi.useRealTimers();
});

function put(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const keys = (...entries: [name: string, hex: string][]) =>
  put(
    "keys.yaml",
    JSON.stringify({
      keys: entries.map(([name, hex]) => ({ name, tenant: "eu", sha256: hex.repeat(32), roles: ["read"] })),
    }),
  );

function rotate(): RotatingCredentials {
  const config = loadConfig({
    REDIS_URL: "redis://redis",
    ASSAY_TENANTS_FILE: put("tenants.yaml", "tenants: { eu: { webhook_secrets_file: secrets.txt }, 0: {} }"),
    ASSAY_KEYS_FILE: keys(["shop", "aa"]),
    ASSAY_INGRESS_KEYS: "till:till-secret",
  });
  const logger = createLogger({ name: "test", destination: { write: (line: string) => void lines.push(line) } });
  rotating = rotateCredentials(config, logger);
  return rotating;
}

const names = () => rotating?.current().keys.map(({ name }) => name);
const look = () => vi.advanceTimersByTime(2000);

describe("rotateCredentials", () => {
  beforeEach(() => {
    put("secrets.txt", "one");
    rotate();
  });

  test("takes changed keys, and leaves those of the variable", () => {
    keys(["shop", "aa"], ["shop", "bb"], ["desk", "cc"]);
    look();
    expect(names()).toEqual(["till", "shop", "shop", "desk"]);
  });

  test("takes a tenant's changed webhook secrets", () => {
    put("secrets.txt", "two,one");
    look();
    expect(rotating?.current().webhooks.get("eu")).toEqual({ secrets: ["two", "one"] });
  });

  test.each([
    ["no YAML", () => put("keys.yaml", "keys: [hunter2")],
    ["a tenant that is not there", () => put("keys.yaml", entryOf({ tenant: "mars" }))],
    ["roles that do not go together", () => put("keys.yaml", entryOf({ roles: ["test", "submit"] }))],
    ["one secret of two names", () => keys(["shop", "aa"], ["desk", "aa"])],
    ["nothing", () => put("keys.yaml", "")],
  ])("changes nothing when the file of keys holds %s, and says so once", (_, change) => {
    change();
    look();
    look();
    expect(names()).toEqual(["till", "shop"]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("ASSAY_KEYS_FILE");
    expect(lines[0]).not.toContain("hunter2");
  });
});

function entryOf(change: object): string {
  return JSON.stringify({
    keys: [{ name: "shop", tenant: "eu", sha256: "aa".repeat(32), roles: ["read"], ...change }],
  });
}
