import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { SIGNAL_MEANINGS } from "../scripts/signal-meanings.ts";
import { signalsDocument } from "../scripts/signals-document.ts";
import { createCatalogue } from "./condition/catalogue.ts";

const fields = [...createCatalogue({}).fields.values()];
const names = [...fields, ...fields.flatMap(({ elements = [] }) => elements)].map(({ path }) => path);

describe("docs/signals.md", () => {
  const written = readFileSync(new URL("../../../docs/signals.md", import.meta.url), "utf8");

  test("is what `npm run generate:signals -w @assay/rules` writes", () => {
    expect(written).toBe(signalsDocument());
  });

  test("has a row for every name that a condition may use, once", () => {
    const rows: string[] = [...written.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = ""]) => name);
    expect(rows.toSorted()).toEqual(names.toSorted());
  });

  test("gives a meaning to no signal that is not there", () => {
    expect(Object.keys(SIGNAL_MEANINGS).filter((name) => !names.includes(name))).toEqual([]);
  });
});
