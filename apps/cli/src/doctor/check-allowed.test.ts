import { loadRulesetFolder, type RulesetFolder } from "@assay/rules";
import { describe, expect, test } from "vitest";
import { aTenant } from "../../test/a-tenant.ts";
import { checkAllowed } from "./check-allowed.ts";

function folder(settings: Record<string, string>): RulesetFolder {
  const files = Object.entries(settings).map(
    ([name, text]) => [`${name}.yaml`, `ruleset: ${name}\nsettings: ${text}`] as const,
  );
  return loadRulesetFolder(new Map(files), { folder: "rulesets", now: 0 });
}

const seen = (kind: "origin" | "app" | "environment", ...names: string[]) =>
  aTenant({ seen: { [kind]: names.map((name, index) => ({ name, lastAt: 1, count: 9 - index })) } });

const A = "https://a.example";
const B = "https://b.example";

describe("checkAllowed", () => {
  test.each<[string, string, string[], object]>([
    [
      "all that is allowed",
      `["${A}"]`,
      [A],
      { status: "ok", says: "All of allowed_origins of default was seen, and nothing else" },
    ],
    [
      "what is not allowed",
      `["${A}"]`,
      [A, B],
      { status: "warn", says: `Seen and not in allowed_origins of default: ${B} (8)` },
    ],
    [
      "what never came",
      `["${A}", "${B}"]`,
      [A],
      { status: "warn", says: `In allowed_origins of default and never seen: ${B}` },
    ],
    [
      "what is spelt otherwise",
      `["${B}"]`,
      [A],
      { status: "warn", says: expect.stringMatching(/^Seen and not .*a\.ex.*\. In .*b\.ex/) },
    ],
    ["nothing at all yet", `["${A}"]`, [], { status: "ok" }],
    [
      "an empty list, with what to write",
      "[]",
      [A, B],
      { status: "ok", do: `to take no others, write: settings: { allowed_origins: [${A}, ${B}] }` },
    ],
    [
      "an empty list and no origin",
      "[]",
      [],
      { status: "ok", says: "None was seen, and allowed_origins of default is empty" },
    ],
  ])("tells %s", (_, list, names, expected) => {
    const [origins] = checkAllowed(seen("origin", ...names), folder({ default: `{ allowed_origins: ${list} }` }));
    expect(origins).toMatchObject({ name: "origins", ...expected });
  });

  test("looks at apps and environments in the same way", () => {
    const rulesets = folder({ default: "{ allowed_apps: [com.shop], allowed_environments: [ae_1] }" });
    expect(checkAllowed(seen("app", "com.evil"), rulesets)[1]).toMatchObject({ name: "apps", status: "warn" });
    expect(checkAllowed(seen("environment", "ae_2"), rulesets)[2]).toMatchObject({
      name: "environments",
      status: "warn",
    });
  });

  test("tells rulesets that allow the same in one, and others apart", () => {
    const rulesets = folder({ default: "{}", login: "{}", checkout: `{ allowed_origins: ["${B}"] }` });
    const origins = checkAllowed(seen("origin", A), rulesets).filter(({ name }) => name === "origins");
    expect(origins.map(({ status, says }) => [status, / of ([\w, ]+?)(?: is|:)/.exec(says)?.[1]])).toEqual([
      ["warn", "checkout"],
      ["ok", "default, login"],
    ]);
  });

  test("writes what a ruleset can load", () => {
    const odd = ["a: b", "*", "x,y", "https://a.example:8443", "#1"];
    const [, apps] = checkAllowed(seen("app", ...odd.slice(0, 1), ...odd.slice(2)), folder({ default: "{}" }));
    const settings = /settings: (.*)$/.exec(apps?.do ?? "")?.[1] ?? "";
    const { allowedApps } = folder({ default: settings }).default.settings;
    expect(allowedApps).toEqual(["a: b", "x,y", "https://a.example:8443", "#1"]);
  });
});
