import { randomBytes } from "node:crypto";
import { loadConfig } from "@assay/worker";
import { afterAll, describe, expect, test } from "vitest";
import { assay } from "../support/assay-command.ts";
import { blockOf, brokenLinks, openSnippetFolder, readDocument } from "../support/snippets.ts";

const document = readDocument("docs/operating.md");
const folder = openSnippetFolder();

afterAll(() => folder.remove());

describe("docs/operating.md", () => {
  test("shows endpoints that a worker can read", () => {
    const secret = `whsec_${randomBytes(32).toString("base64")}`;
    const text = blockOf(document, "endpoints").replaceAll("whsec_your-secret", secret);
    const env = { REDIS_URL: "redis://localhost:6379", ASSAY_ENDPOINTS_FILE: folder.write("endpoints.yaml", text) };
    const { roles, deliver } = loadConfig(env);
    expect(roles).toEqual(["score", "deliver"]);
    expect(deliver?.endpoints).toMatchObject([
      { name: "orders", tenant: "0", secrets: [secret], fields: "reasons", late: false, allowPrivate: false },
      { name: "desk", headers: { authorization: "Bearer your-token" }, late: true, allowPrivate: true },
    ]);
  });

  test("links to nothing that is not there", () => {
    expect(brokenLinks(document.replaceAll("](../", "]("))).toEqual([]);
  });

  test("names commands and options that there are", async () => {
    const written = [...document.matchAll(/`npx assay ([^`]+)`/g)].map(([, line = ""]) => line);
    const wordsOf = (line: string) => /^[a-z]+(?: [a-z]+)?(?= |$)/.exec(line)?.[0].split(" ") ?? [];
    const optionsOf = (line: string) => [...line.matchAll(/--[a-z-]+/g)].map(([option]) => option);
    const asked = new Map(written.map((line) => [wordsOf(line).join(" "), wordsOf(line)]));
    const helps = new Map<string, string>();
    for (const [name, words] of asked) {
      const { exitCode, stdout } = await assay([...words, "--help"]);
      expect([name, exitCode]).toEqual([name, 0]);
      helps.set(name, stdout);
    }
    const unknown = written.flatMap((line) =>
      optionsOf(line).filter((option) => !helps.get(wordsOf(line).join(" "))?.includes(option)),
    );
    expect(unknown).toEqual([]);
    expect(asked.size).toBeGreaterThan(8);
  });
});
