import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { loadConfig as loadIngressConfig } from "@assay/ingress";
import { ROLES } from "@assay/protocol";
import { loadRuleset } from "@assay/rules";
import { loadConfig as loadWorkerConfig } from "@assay/worker";
import { afterAll, describe, expect, test } from "vitest";
import { assay as runAssay } from "../support/assay-command.ts";
import { aBot, anEvent } from "../support/events.ts";
import { messageOf } from "../support/ruleset-faults.ts";
import { blockOf, openSnippetFolder, readDocument, tableOf } from "../support/snippets.ts";

const REDIS_URL = "redis://localhost:6379";

const readme = readDocument("README.md");
const folder = openSnippetFolder();
const sealedKey = randomBytes(32).toString("base64");

afterAll(() => folder.remove());

// What README shows of files, and needs no installation.
describe("README.md", () => {
  test("shows a misspelt ruleset and exactly what is said about it", () => {
    const load = () => loadRuleset(blockOf(readme, "misspelt"), { file: "rulesets/checkout.yaml" });
    expect(messageOf(load)).toBe(blockOf(readme, "misspelt-error").trimEnd());
  });

  test("shows a gate for changes of rules that stops one, and lets another through", async () => {
    const [, command = ""] = blockOf(readme, "diff").trim().split("\n");
    const words = (command.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ""));
    expect(words.slice(0, 2)).toEqual(["npx", "assay"]);
    const cwd = mkdtempSync(join(tmpdir(), "assay-readme-"));
    const before = "ruleset: default\nrules: [{ id: bad_bot, when: bot == 'bad', action: block }]";
    const put = (path: string, text: string) => {
      mkdirSync(dirname(join(cwd, path)), { recursive: true });
      writeFileSync(join(cwd, path), text);
    };
    const gate = async (after: string) => {
      put("rulesets/default.yaml", after);
      return await runAssay(
        words.slice(2).map((word) => word.replace("/tmp/before", "before")),
        { cwd },
      );
    };
    put("before/rulesets/default.yaml", before);
    put("logins.ndjson", `${JSON.stringify(aBot())}\n${JSON.stringify(anEvent({ vpn: true }))}\n`);
    expect(await gate(before)).toMatchObject({ exitCode: 0 });
    expect(await gate(before.replace("bot == 'bad'", "vpn || bot == 'bad'"))).toMatchObject({ exitCode: 1 });
    rmSync(cwd, { recursive: true });
  });

  test("shows keys and tenants that both apps can read", () => {
    const env = {
      REDIS_URL,
      ASSAY_TENANTS_FILE: folder.write(
        "tenants.yaml",
        blockOf(readme, "tenants").replaceAll("your-sealed-key", sealedKey),
      ),
    };
    const ASSAY_KEYS_FILE = folder.write("keys.yaml", blockOf(readme, "keys"));
    const { tenants, credentials } = loadIngressConfig({ ...env, ASSAY_KEYS_FILE });
    expect(tenants.map(({ name }) => name)).toEqual(["0", "shop-eu"]);
    expect(credentials.keys.map(({ tenant, name }) => `${tenant}/${name}`)).toEqual([
      "0/shop",
      "shop-eu/shop",
      "shop-eu/desk",
    ]);
    expect(loadWorkerConfig(env).tenants[1]).toEqual({
      name: "shop-eu",
      sealedKeys: sealedKey,
      lookups: { apiKeys: ["your-api-key"], region: "eu", rps: 5, burst: 15 },
      rulesetsFolder: expect.stringMatching(/\/rulesets-eu$/),
    });
  });

  test("names every role", () => {
    const told = tableOf(readme, "role").flatMap(({ role = "" }) => role.replaceAll("`", "").split(", "));
    expect(told.toSorted()).toEqual(ROLES.toSorted());
  });
});
