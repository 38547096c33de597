import { describe, expect, test } from "vitest";
import { inputOf } from "../test/build.ts";
import { loadRuleset, loadRulesetFolder, loadRulesetFolderInSteps, RulesetError, type RulesetFolder } from "./index.ts";

const DEFAULT = "ruleset: default\nrules: [{ id: it, when: vpn, action: block }]\n";
const LOGIN = "ruleset: login_rules\nrules: [{ id: it, when: proxy, action: block }]\n";
const COUNTER = "counters: { c: { key: ip_address, window: 1h } }\n";
const NOW = Date.UTC(2026, 0, 1);

function folderOf(files: Record<string, string>): RulesetFolder {
  return loadRulesetFolder(new Map(Object.entries(files)), { folder: "rulesets", now: NOW });
}

function faultsOf(files: Record<string, string>): string[] {
  try {
    folderOf(files);
    return [];
  } catch (error) {
    if (error instanceof RulesetError) return error.faults.map(({ text }) => text.split("\n")[0] ?? "");
    throw error;
  }
}

const warningsOf = (files: Record<string, string>) => folderOf(files).warnings.map(({ text }) => text.split("\n")[0]);

describe("the files of a ruleset", () => {
  test("are its own, first, and the parts and lists that it uses, whatever others use", () => {
    const rule = "rules:\n  - { id: shared, when: ip_address in lists.bad, action: block, message: Bad }\n";
    const part = `lists: { bad: { type: cidr, file: lists/bad.txt } }\n${rule}`;
    const texts = new Map([
      ["_shared.yaml", part],
      ["lists/bad.txt", "203.0.113.7/32\n"],
      ["lists/other.txt", "203.0.113.8/32\n"],
      ["a.yaml", "ruleset: a\ninclude: [_shared.yaml]\n"],
      ["b.yaml", "ruleset: b\ninclude: [_shared.yaml]\nlists: { other: { type: cidr, file: lists/other.txt } }\n"],
      ["default.yaml", "ruleset: default\nrules: []\n"],
    ]);
    const { all } = loadRulesetFolder(texts, { folder: "rules", now: 0 });
    const paths = Object.fromEntries(all.map(({ name, files }) => [name, [...files.keys()]]));
    expect(paths).toEqual({
      a: ["a.yaml", "_shared.yaml", "lists/bad.txt"],
      b: ["b.yaml", "_shared.yaml", "lists/bad.txt", "lists/other.txt"],
      default: ["default.yaml"],
    });
    for (const { digest, files } of all) {
      const [[file = "", text = ""] = []] = files;
      expect(loadRuleset(text, { file, files }).digest).toBe(digest);
    }
  });
});

describe("loadRulesetFolder", () => {
  test("finds each ruleset by its name, whatever its file is called", () => {
    const folder = folderOf({ "b.yaml": DEFAULT, "a.yml": LOGIN });
    expect(folder.all.map(({ name }) => name)).toEqual(["login_rules", "default"]);
    expect(folder.default).toBe(folder.named("default"));
    expect(folder.named("login_rules")?.origin).toBe("rulesets/a.yml");
    expect(folder.named("none")).toBeUndefined();
  });

  test.each([
    ["without routes", undefined, "default", "default"],
    ["by its line", "login: login_rules\n", "login_rules", "default"],
    ["by the line of all others", "'*': login_rules\nlogin: default\n", "default", "login_rules"],
    ["by routes that are all comments", "# login: login_rules\n", "default", "default"],
  ])("decides a flow %s", (_, routes, login, others) => {
    const folder = folderOf({
      "default.yaml": DEFAULT,
      "login.yaml": LOGIN,
      ...(routes === undefined ? {} : { "_routes.yaml": routes }),
    });
    expect(folder.forFlow("login").name).toBe(login);
    expect([folder.forFlow("signup").name, folder.forFlow(undefined).name]).toEqual([others, others]);
    expect(folder.warnings).toEqual([]);
  });

  test("finds a ruleset's candidate", () => {
    const folder = folderOf({ "default.yaml": `${DEFAULT}candidate: login_rules\n`, "login.yaml": LOGIN });
    expect(folder.candidateOf(folder.default)).toBe(folder.named("login_rules"));
    expect(folder.candidateOf(folder.forFlow("x"))?.candidate).toBeUndefined();
  });

  test.each([
    ["of its own alone", {}, false],
    ["of another ruleset too", { "other.yaml": `ruleset: other\n${COUNTER}` }, true],
    ["of its own, where a route lets it decide", { "_routes.yaml": "login: login_rules\n" }, true],
  ])("knows whether a candidate may count in a counter %s", (_, more, isCounted) => {
    const folder = folderOf({
      "default.yaml": `${DEFAULT}candidate: login_rules\n`,
      "login.yaml": `${LOGIN}${COUNTER}`,
      ...more,
    });
    const candidate = folder.candidateOf(folder.default) ?? folder.default;
    expect(candidate.counters.map(({ definition }) => folder.countedWithout(candidate).has(definition))).toEqual([
      isCounted,
    ]);
  });

  test("names the flows of rulesets, counters and routes", () => {
    const folder = folderOf({
      "default.yaml":
        "ruleset: default\nsettings: { max_event_age_by_flow: { slow: 1h } }\n" +
        "counters: { c: { key: ip_address, window: 1h, where: context.flow == 'signup' } }\n" +
        "rules: [{ id: it, when: context.flow == 'login', score: 1 }]\n",
      "_routes.yaml": "checkout: default\n'*': default\n",
    });
    expect(folder.flows).toEqual(["checkout", "login", "signup", "slow"]);
  });

  test("has another digest when any byte of any file changes", () => {
    const files = { "default.yaml": DEFAULT, "_routes.yaml": "# none\n" };
    const { digest } = folderOf(files);
    expect(digest).toMatch(/^[0-9a-f]{16}$/);
    expect(folderOf(files).digest).toBe(digest);
    expect(folderOf({ ...files, "_routes.yaml": "# None\n" }).digest).not.toBe(digest);
  });

  test.each([
    [{}, "rulesets: This folder holds no ruleset. A ruleset is a .yaml file at its top."],
    [{ "a.yaml": LOGIN }, "rulesets: No ruleset is called default, which decides where nobody names another."],
    [
      { "a.yaml": DEFAULT, "b.yaml": DEFAULT },
      "rulesets/b.yaml:1:10: The ruleset default is defined twice: here and at rulesets/a.yaml:1:10.",
    ],
    [
      { "a.yaml": DEFAULT, "_routes.yaml": "login: defualt\n" },
      "rulesets/_routes.yaml:1:8: There is no ruleset defualt. Did you mean default?",
    ],
    [
      { "a.yaml": DEFAULT, "_routes.yaml": "login: payments\n" },
      "rulesets/_routes.yaml:1:8: There is no ruleset payments. There are: default.",
    ],
    [{ "a.yaml": DEFAULT, "_routes.yaml": "Log In: default\n" }, "rulesets/_routes.yaml:1:1: A flow is 1 to 64"],
    [{ "a.yaml": DEFAULT, "_routes.yaml": "login: [default]\n" }, "rulesets/_routes.yaml:1:8: login must be the name"],
    [
      { "a.yaml": DEFAULT, "_routes.yaml": "a: default\na: default\n" },
      "rulesets/_routes.yaml:2:1: a stands twice in one map.",
    ],
    [{ "a.yaml": DEFAULT, "_routes.yaml": "- a\n" }, "rulesets/_routes.yaml:1:1: the routes must be a map"],
    [
      { "a.yaml": DEFAULT, "_routes.yaml": "*: default\n" },
      "rulesets/_routes.yaml:1:1: YAML reads *: default as an alias, not as part of the value. Quote it: '*': default",
    ],
    [{ "a.yaml": DEFAULT, "_routes.yaml": "", "_routes.yml": "" }, "rulesets/_routes.yml:1:1: The routes stand in"],
    [
      { "a.yaml": `${DEFAULT}candidate: defautl\n` },
      "rulesets/a.yaml:3:12: There is no ruleset defautl. Did you mean default?",
    ],
  ])("refuses %j", (files, fault) => {
    expect(faultsOf(files).join("\n")).toContain(fault);
  });

  test("tells every fault of every file at once, by file and line", () => {
    expect(
      faultsOf({
        "default.yaml": `${DEFAULT.replace("vpn", "vpnn")}candidate: nobody\n`,
        "b.yaml": `mod: x\n${LOGIN}include: [_part.yaml]\n`,
        "_part.yaml": "rules: [{ id: x, when: bott, score: 1 }]\n",
        "_routes.yaml": "login: nobody\n",
      }).map((fault) => fault.slice(0, fault.indexOf(": "))),
    ).toEqual([
      "rulesets/_part.yaml:1:24",
      "rulesets/_routes.yaml:1:8",
      "rulesets/b.yaml:1:1",
      "rulesets/default.yaml:2:25",
      "rulesets/default.yaml:3:12",
    ]);
  });

  test("tells a fault of a part once, however many rulesets include it", () => {
    const include = "include: [_part.yaml]\n";
    const part = "rules: [{ id: x, when: bott, score: 1 }]\n";
    expect(faultsOf({ "a.yaml": DEFAULT + include, "b.yaml": LOGIN + include, "_part.yaml": part })).toHaveLength(1);
  });

  test("says for which rulesets a part is wrong", () => {
    const include = "include: [_part.yaml]\n";
    const files = {
      "a.yaml": `${DEFAULT}facts: { level: number }\n${include}`,
      "b.yaml": LOGIN + include,
      "c.yaml": "ruleset: c\n" + include,
      "_part.yaml": "rules: [{ id: x, when: facts.level > 1, score: 1 }]\n",
    };
    expect(() => folderOf(files)).toThrow(
      expect.objectContaining({
        message: [
          "rulesets/_part.yaml:1:24: facts.level is not a known name. Declare it under facts.",
          "  1 | rules: [{ id: x, when: facts.level > 1, score: 1 }]",
          "    |                        ^",
          "    = in a part of rulesets/b.yaml, rulesets/c.yaml",
        ].join("\n"),
      }),
    );
  });

  test("does not miss a ruleset while one cannot be read", () => {
    const files = { "a.yaml": "ruleset: [default\n", "b.yaml": `${LOGIN}candidate: default\n` };
    expect(faultsOf({ ...files, "_routes.yaml": "login: default\n" })).toEqual([
      expect.stringContaining("rulesets/a.yaml:1:10: This [ has no ] that closes it."),
    ]);
  });

  test.each([
    ["_part.yaml", "No ruleset includes this part, so it is not read."],
    ["lists/qa.txt", "No ruleset declares a list with this file, so it is not read."],
    ["below/more.yaml", "A ruleset or part stands at the top of the folder, so this file is not read."],
  ])("warns of %s, which nothing uses", (path, message) => {
    expect(warningsOf({ "default.yaml": DEFAULT, [path]: "" })).toEqual([`rulesets/${path}: ${message}`]);
  });

  describe("warns of a counter that asks for a flow of another ruleset", () => {
    const counter = "counters: { signups: { key: ip_address, window: 1h, where: context.flow == 'signup' } }\n";
    const warning =
      "rulesets/default.yaml:3:13: The flow signup is decided by login_rules, which does not declare this counter";
    const routes = { "_routes.yaml": "signup: login_rules\n" };

    test("unless that declares it too", () => {
      const files = { "default.yaml": DEFAULT + counter, "login.yaml": LOGIN, ...routes };
      expect(warningsOf(files).join("\n")).toContain(warning);
      expect(warningsOf({ ...files, "login.yaml": LOGIN + counter })).toEqual([]);
    });

    test("unless its candidate does", () => {
      const login = `${LOGIN}candidate: default\n`;
      expect(warningsOf({ "default.yaml": DEFAULT + counter, "login.yaml": login, ...routes })).toEqual([]);
    });

    test("unless no route leads to the rulesets that declare it, as callers then name them", () => {
      const files = { "default.yaml": DEFAULT, "login.yaml": LOGIN + counter };
      expect(warningsOf(files)).toEqual([]);
      expect(warningsOf({ ...files, "_routes.yaml": "login: login_rules\n" }).join("\n")).toContain(
        "The flow signup is decided by default",
      );
    });

    test("but not of one that excludes the flow", () => {
      const other = counter.replace("==", "!=");
      expect(warningsOf({ "default.yaml": DEFAULT + other, "login.yaml": LOGIN, ...routes })).toEqual([]);
    });
  });

  describe("warns of a rule that asks for a flow", () => {
    const asking = (flow: string) =>
      `ruleset: default\nrules:\n  - { id: it, when: context.flow == '${flow}' && vpn, action: block }\n`;
    const routes = { "_routes.yaml": "signup: login_rules\n" };

    test("which another ruleset decides, unless that holds the rule too", () => {
      const files = { "default.yaml": asking("signup"), "login.yaml": LOGIN, ...routes };
      expect(warningsOf(files)).toEqual([
        "rulesets/default.yaml:3:21: The flow signup is decided by login_rules, so this rule is not asked there. Put it into login_rules.",
      ]);
      const part = asking("signup").replace("ruleset: default\n", "");
      const including = {
        "default.yaml": "ruleset: default\ninclude: [_p.yaml]\n",
        "login.yaml": "ruleset: login_rules\ninclude: [_p.yaml]\n",
      };
      expect(warningsOf({ ...including, "_p.yaml": part, ...routes })).toEqual([]);
    });

    test("which looks like one that a route names", () => {
      expect(warningsOf({ "default.yaml": asking("singup"), "login.yaml": LOGIN, ...routes })).toEqual([
        "rulesets/default.yaml:3:21: No route names the flow singup. Did you mean signup?",
      ]);
    });

    test("but not of a flow that no route names, as it comes to the default", () => {
      expect(warningsOf({ "default.yaml": asking("checkout"), "login.yaml": LOGIN, ...routes })).toEqual([]);
    });
  });

  test("warns of a flow called default, which was meant for all others", () => {
    expect(
      warningsOf({ "default.yaml": DEFAULT, "login.yaml": LOGIN, "_routes.yaml": "default: login_rules\n" }),
    ).toEqual([
      "rulesets/_routes.yaml:1:1: This is a flow that is called default. For all flows without a line, write '*'.",
    ]);
  });

  test("judges with what a part brings", () => {
    const folder = folderOf({
      "default.yaml": "ruleset: default\ninclude: [_bots.yaml]\nthresholds: { block: 1 }\n",
      "_bots.yaml": "facts: { level: number }\nrules: [{ id: bots, when: facts.level > 2, score: 1 }]\n",
    });
    expect(folder.default.decide(inputOf({}, { context: { facts: { level: 3 } } })).action).toBe("block");
    expect(folder.default.facts).toEqual([{ name: "level", type: "number" }]);
  });
});

describe("loadRulesetFolderInSteps", () => {
  test("comes to the same, and stops after each ruleset, each rule, each file and each thousand entries of a list", () => {
    const entries = Array.from({ length: 3000 }, (_, index) => `203.0.${index >> 8}.${index & 255}`);
    const list = "lists: { l: { type: cidr, file: l.txt } }\n";
    const files = new Map([
      ["default.yaml", `${list}ruleset: default\nrules: [{ id: it, when: ip_address in lists.l, score: 1 }]\n`],
      ["login.yaml", LOGIN],
      ["l.txt", entries.join("\n")],
    ]);
    const options = { folder: "rulesets", now: NOW };
    const steps = loadRulesetFolderInSteps(files, options);
    let stops = 0;
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) stops += 1;
    expect(step.value.all.map(({ digest }) => digest)).toEqual(
      loadRulesetFolder(files, options).all.map(({ digest }) => digest),
    );
    // Two rulesets twice, two rules, three files, three thousand entries twice, and the two runs and the one that they are sorted to.
    expect(stops).toBe(18);
  });
});
