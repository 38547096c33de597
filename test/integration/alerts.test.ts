import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readDocument } from "../support/snippets.ts";

const TRIED_BY = "test/integration/alerts.test.yaml";

describe("deploy/alerts.yaml", () => {
  test("has no alert that is not tried", () => {
    const names = (file: string, pattern: RegExp) =>
      new Set([...readDocument(file).matchAll(pattern)].map(([, name]) => name));
    expect(names(TRIED_BY, /alertname: (\w+), .*exp_alerts: \[\{/g)).toEqual(
      names("deploy/alerts.yaml", /alert: (\w+)/g),
    );
  });

  describe.skipIf(withoutPromtool())("as Prometheus reads it", () => {
    test("fires where it must, and nowhere else", () => {
      const file = fileURLToPath(new URL("alerts.test.yaml", import.meta.url));
      expect(execFileSync("promtool", ["test", "rules", file], { encoding: "utf8" })).toContain("SUCCESS");
    });
  });
});

function withoutPromtool(): boolean {
  if (spawnSync("promtool", ["--version"]).status === 0) return false;
  console.warn("Skipped: there is no promtool here. It comes with Prometheus.");
  return true;
}
