import { gzipSync } from "node:zlib";
import { isRecord } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { assay, assayJson, pipe, put, useFolder } from "../test/command-line.ts";
import { type Fields, rows } from "../test/rows.ts";

useFolder();

/** Blocks bots; challenges a VPN. */
const OLD = [
  "ruleset: default",
  "rules:",
  '  - { id: bad_bot, when: bot == "bad", action: block }',
  "  - { id: hidden, when: vpn, action: challenge }",
  "  - { id: trial, when: proxy, action: review, mode: shadow }",
].join("\n");

/** Blocks a VPN too, unless it is a proxy. */
const NEW = OLD.replace("when: vpn, action: challenge", "when: vpn && !proxy, action: block");

const BOT = { bot: "bad" };
const VPN = { vpn: true };
const BOTH = { vpn: true, proxy: true };
const PROXY = { proxy: true };
const PERSON = {};

/** One of each, of whom some turned out to be frauds. */
const MIX = rows(
  [BOT, { label: "fraud" }],
  [VPN, { label: "fraud" }],
  [VPN, { label: "legit" }],
  [VPN],
  [BOTH, { label: "fraud" }],
  [PROXY, { label: "legit" }],
  [PERSON, { label: "legit" }],
  [PERSON],
);

/** Of one shop: presented late, of another origin, of another environment, and as ever. */
const HERE = { url: "https://shop.example/login", environment_id: "live" };
const LATE: readonly (readonly [Fields, Fields?])[] = [
  [HERE, { context: {}, received_at: 1_760_000_000_000 + 90_000 }],
  [{ ...HERE, url: "https://other.example" }],
  [{ ...HERE, environment_id: "test" }],
  [HERE, { context: {} }],
];

/** The command on these rows. */
async function diff(lines: string, ...more: string[]) {
  const [before, after] = [put("old/default.yaml", OLD), put("new/default.yaml", NEW)];
  return await assay("rules", "diff", before, after, "--from", put("rows.ndjson", lines), ...more);
}

async function diffJson(lines: string, ...more: string[]): Promise<Fields> {
  const { out } = await diff(lines, ...more, "--json");
  const json: unknown = JSON.parse(out);
  if (!isRecord(json)) throw new Error(out);
  return json;
}

describe("assay rules diff", () => {
  test("finds the rows that are answered otherwise, and no other", async () => {
    const { flips } = await diffJson(MIX);
    expect(flips).toMatchObject({
      count: 4,
      rate: 0.5,
      groups: [
        { from: "challenge", to: "block", count: 3, labelled: { fraud: 1, legit: 1 } },
        { from: "challenge", to: "allow", count: 1, labelled: { fraud: 1, legit: 0 } },
      ],
    });
  });

  test("works out rates, precision and recall as one does by hand", async () => {
    // Old blocks row 1 alone: 1 of 1 labelled is fraud, 1 of 3 frauds. New blocks rows 1 to 4: 2 of 3, and 2 of 3.
    const json = await diffJson(MIX);
    expect(json).toMatchObject({
      schema: "assay.rules-diff/1",
      rows: 8,
      bad_rows: 0,
      labelled: { fraud: 3, legit: 3 },
      old: { actions: { allow: 3, challenge: 4, review: 0, block: 1 } },
      new: {
        actions: { allow: 4, challenge: 0, review: 0, block: 4 },
        actions_by_label: { fraud: { allow: 1, block: 2 }, legit: { allow: 2, block: 1 } },
      },
      block_rate: { old: 0.125, new: 0.5, delta: 0.375 },
      challenge_rate: { old: 0.5, new: 0, delta: -0.5 },
      precision: { old: 1, new: 2 / 3 },
      recall: { old: 1 / 3, new: 2 / 3 },
    });
    // Bonett and Price by hand: (0 + 1) / 10 and (3 + 1) / 10, 0.3 ± 1.96 √((0.5 − 0.09) / 10).
    expect(json["block_rate"]).toMatchObject({ interval: [expect.closeTo(-0.0969, 4), expect.closeTo(0.6969, 4)] });
  });

  test("counts for each rule its hits, those that are its alone, and who they were", async () => {
    const { rules, overlaps } = await diffJson(MIX + rows([{ ...BOT, ...VPN }]));
    expect(rules).toEqual([
      {
        ruleset: "default",
        rule: "hidden",
        old: { hits: 5, hits_alone: 4, shadow: 0, unknown: 0, fraud: 2, legit: 1, precision: 2 / 3, recall: 2 / 3 },
        new: { hits: 4, hits_alone: 3, shadow: 0, unknown: 0, fraud: 1, legit: 1, precision: 0.5, recall: 1 / 3 },
      },
      {
        ruleset: "default",
        rule: "bad_bot",
        old: { hits: 2, hits_alone: 1, shadow: 0, unknown: 0, fraud: 1, legit: 0, precision: 1, recall: 1 / 3 },
        new: { hits: 2, hits_alone: 1, shadow: 0, unknown: 0, fraud: 1, legit: 0, precision: 1, recall: 1 / 3 },
      },
      {
        ruleset: "default",
        rule: "trial",
        old: { hits: 0, hits_alone: 0, shadow: 2, unknown: 0, fraud: 1, legit: 1, precision: 0.5, recall: 1 / 3 },
        new: { hits: 0, hits_alone: 0, shadow: 2, unknown: 0, fraud: 1, legit: 1, precision: 0.5, recall: 1 / 3 },
      },
    ]);
    expect(overlaps).toEqual([{ ruleset: "default", rules: ["bad_bot", "hidden"], rows: 1 }]);
  });

  test("finds nothing where nothing changed", async () => {
    const file = put("same/default.yaml", OLD);
    const json = await assayJson("rules", "diff", file, file, "--from", put("rows.ndjson", MIX));
    expect(json).toMatchObject({ rows: 8, flips: { count: 0, rate: 0, groups: [] }, block_rate: { delta: 0 } });
  });

  test("shows what a change of settings does", async () => {
    const settings =
      "settings: { max_event_age: 1m, allowed_origins: [https://shop.example], allowed_environments: [live] }";
    const after = put("new/default.yaml", `${OLD}\n${settings}\nintegrity: { origin_not_allowed: block }`);
    const from = ["--from", put("rows.ndjson", rows(...LATE))];
    const json = await assayJson("rules", "diff", put("old/default.yaml", OLD), after, ...from);
    expect(json).toMatchObject({
      old: { actions: { allow: 4 } },
      new: { actions: { allow: 1, challenge: 1, block: 2 } },
      rules: expect.arrayContaining([
        expect.objectContaining({ rule: "integrity.stale", new: expect.objectContaining({ hits: 1 }) }),
        expect.objectContaining({ rule: "integrity.origin_not_allowed", new: expect.objectContaining({ hits: 1 }) }),
        expect.objectContaining({ rule: "integrity.environment_not_allowed" }),
      ]),
    });
  });

  test("says what a mode of observe would do", async () => {
    const after = put("new/default.yaml", `${NEW}\nmode: observe`);
    const file = put("rows.ndjson", MIX);
    const json = await assayJson("rules", "diff", put("old/default.yaml", OLD), after, "--from", file);
    expect(json).toMatchObject({ new: { actions: { block: 4 } } });
  });
});

describe("assay rules diff, rows", () => {
  test("leaves a bad line out, and names it by its number", async () => {
    const [first = "", ...others] = MIX.split("\n");
    const { out } = await diff([first, "{", "", '{"event":{}}', ...others].join("\n"), "--json");
    expect(JSON.parse(out)).toMatchObject({ rows: 8, bad_rows: 2, bad_lines: [{ line: 2 }, { line: 4 }] });
  });

  test("ends with 2 and the first bad lines when there are too many", async () => {
    const { exitCode, out, err } = await diff(`{\n{\n${MIX}`, "--max-bad", "1");
    expect([exitCode, out]).toEqual([2, ""]);
    expect(err).toMatch(/rows\.ndjson has more than 1 bad lines[^]*rows\.ndjson:1: it is no JSON[^]*rows\.ndjson:2: /);
  });

  test.each([
    ["", "holds no row."],
    ["{\n", "holds no row; line 1: it is no JSON"],
  ])("ends with 2 for %j, which holds none", async (lines, message) => {
    const { exitCode, err } = await diff(lines);
    expect([exitCode, err]).toEqual([2, expect.stringContaining(message)]);
  });

  test("reads gzip, and what is piped in, packed or not", async () => {
    const expected = await diffJson(MIX);
    const packed = gzipSync(MIX);
    const [before, after] = [put("old/default.yaml", OLD), put("new/default.yaml", NEW)];
    const file = put("rows.ndjson.gz", packed);
    expect(await assayJson("rules", "diff", before, after, "--from", file)).toEqual(expected);
    for (const chunks of [[Buffer.from(MIX)], [packed.subarray(0, 10), packed.subarray(10)]]) {
      pipe(...chunks);
      expect(await assayJson("rules", "diff", before, after, "--from", "-")).toEqual(expected);
    }
  });

  test("ends with 3 for gzip that is cut off, and for a file that is not there", async () => {
    const [before, after] = [put("old/default.yaml", OLD), put("new/default.yaml", NEW)];
    const cut = put("rows.ndjson.gz", gzipSync(MIX).subarray(0, -20));
    expect(await assay("rules", "diff", before, after, "--from", cut)).toMatchObject({ exitCode: 3, out: "" });
    expect(await assay("rules", "diff", before, after, "--from", "nowhere.ndjson")).toMatchObject({ exitCode: 3 });
  });

  test("says how many rows came without checks", async () => {
    const { out } = await diff(rows([VPN, { checks: {} }], [PERSON]));
    expect(out).toContain("1 of 2 rows came without checks, which are unknown to them.");
  });
});

describe("assay rules diff, sides", () => {
  test("takes one ruleset of a folder by its name, and judges every row by it", async () => {
    put("old/default.yaml", OLD);
    const strict = put("old/strict.yaml", NEW.replace("default", "strict"));
    const folder = strict.replace("/strict.yaml", "");
    const from = ["--from", put("rows.ndjson", MIX)];
    const json = await assayJson("rules", "diff", folder, folder, ...from, "--ruleset", "strict");
    expect(json).toMatchObject({ old: { rulesets: [{ name: "strict" }], actions: { block: 4 } } });
    const { exitCode, err } = await assay("rules", "diff", folder, folder, ...from, "--ruleset", "strcit");
    expect([exitCode, err]).toEqual([2, expect.stringContaining("holds no ruleset strcit. Did you mean strict?")]);
  });

  test("judges a row by the ruleset that it names, and tells of one that is not there", async () => {
    put("old/default.yaml", OLD);
    const before = put("old/strict.yaml", NEW.replace("default", "strict")).replace("/strict.yaml", "");
    const after = put("new/default.yaml", OLD).replace("/default.yaml", "");
    const file = put("rows.ndjson", rows([VPN, { ruleset: "strict" }], [VPN]));
    const json = await assayJson("rules", "diff", before, after, "--from", file);
    expect(json).toMatchObject({
      old: { actions: { challenge: 1, block: 1 }, ruleset_not_found: 0 },
      new: { actions: { challenge: 1, review: 1 }, ruleset_not_found: 1 },
    });
  });

  test("shows what is wrong with a ruleset, and ends with 1", async () => {
    const after = put("new/default.yaml", OLD.replace("vpn", "vpnn"));
    const from = put("rows.ndjson", MIX);
    const { exitCode, out } = await assay("rules", "diff", put("old/default.yaml", OLD), after, "--from", from);
    expect([exitCode, out]).toEqual([1, expect.stringContaining("vpnn is not a known name. Did you mean vpn?")]);
  });

  test.each([
    [["--since", "7d"], "Set DATABASE_URL"],
    [["--since", "last week"], "--since last week is neither how long ago, such as 7d or 12h, nor a time"],
    [["--since", "7d", "--until", "8d"], "--since must be before --until"],
    [["--since", "7d", "--from", "x"], "cannot be used with"],
    [["--from", "x", "--until", "1d"], "--until is about the archive: give --since, too."],
    [["--from", "x", "--tenant", "shop"], "--tenant is about the archive: give --since, too."],
    [["--since", "7d", "--tenant", "Shop!"], "--tenant is 1 to 32 characters"],
    [[], "Give rows by --from"],
    [["--from", "x", "--fail-if", "flip > 1"], "Did you mean flips?"],
    [["--from", "x", "--max-bad", "few"], "--max-bad few is no whole number."],
    [["--from", "x", "--examples", "all"], "--examples is ids or full"],
    [["--from", "x", "--json", "--markdown"], "cannot be used with"],
  ])("ends with 2 for %j", async (options, message) => {
    const file = put("old/default.yaml", OLD);
    put("x", MIX);
    const given = options.map((option) => (option === "x" ? file.replace("old/default.yaml", "x") : option));
    const { exitCode, out, err } = await assay("rules", "diff", file, file, ...given);
    expect([exitCode, out + err]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe("assay rules diff, reports", () => {
  test("ends with 1 when --fail-if holds, with 0 when it does not, and says so", async () => {
    expect(await diff(MIX, "--fail-if", "block_rate_delta > 0.01")).toMatchObject({
      exitCode: 1,
      out: expect.stringContaining("Fails, because block_rate_delta > 0.01."),
    });
    expect(await diff(MIX, "--fail-if", "flips > 4 || bad_rows > 0")).toMatchObject({ exitCode: 0 });
    expect(await diff(rows([VPN]), "--fail-if", "precision_delta < 0")).toMatchObject({ exitCode: 2 });
  });

  test("shows people what changed", async () => {
    const { out } = await diff(MIX);
    expect(out).toContain("4 rows are answered otherwise (50.00 %)\n  challenge → block: 3 (1 fraud, 1 legit)\n");
    expect(out).toContain("    1760000001000.row1 (fraud): hidden → hidden, score 0 → 0\n");
    expect(out).toMatch(/^block rate +12\.50 % +50\.00 % +\+37\.50 pp, 95 % from −9\.69 pp to \+69\.69 pp$/m);
    expect(out).toMatch(/^hidden +4 +3 +−1 +3 /m);
  });

  test("gives Markdown that fits a comment", async () => {
    const { out, exitCode } = await diff(MIX, "--markdown", "--fail-if", "flips > 3");
    expect(exitCode).toBe(1);
    expect(out).toMatch(/^### What the change of rules does\n\n\*\*Fails\*\*, because `flips > 3`\.\n/);
    expect(out).toContain("| block | 1 (12.50 %) | 4 (50.00 %) | +3 |");
    expect(out).toContain("| bad\\_bot | 1 | 1 | ±0 |");
    expect(out.length).toBeLessThan(10_000);
  });

  test("tells nothing personal unless it is asked to", async () => {
    const said = [VPN, { context: { user_id: "anna@example.com", ip: "203.0.113.77", flow: "login" } }] as const;
    const lines = rows(said, [{ ...VPN, identification: { visitor_id: "visitor77" }, ip_address: "203.0.113.77" }]);
    for (const form of ["--json", "--markdown", "--max-bad=5"]) {
      const { out } = await diff(lines, form);
      expect(out).toContain("1760000000000.row0");
      expect(out).not.toMatch(/anna@|203\.0\.113|visitor77/);
    }
    const { out } = await diff(lines, "--json", "--examples", "full");
    expect(out).toContain('"visitor_id": "visitor77"');
    expect(out).toContain('"user_id": "anna@example.com"');
    expect(out).toContain('"vpn": true');
  });

  test("keeps the first three examples of each flip", async () => {
    const lines = rows([PERSON], [VPN], [VPN], [PERSON], [VPN], [VPN]);
    const { flips } = await diffJson(lines);
    expect(JSON.stringify(flips).match(/row\d/g)).toEqual(["row1", "row2", "row4"]);
  });
});
