import { closestName } from "@assay/protocol";
import { LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import type { ConfigFault } from "./env.ts";

/** The value of a YAML document, or where it is not YAML. */
export type SettingsDocument =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly faults: readonly ConfigFault[] };

/** Reads YAML, of which JSON is a part. Faults name the place and never what stands there: it may be a secret. */
export function parseSettings(text: string): SettingsDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const faults = [...document.errors, ...document.warnings].map(({ code, pos }) => {
    const { line, col } = lines.linePos(pos[0]);
    const what = code.toLowerCase().replaceAll("_", " ");
    return { name: `line ${line}, column ${col}`, message: `is not YAML that can be read here (${what}).` };
  });
  if (faults.length > 0) return { ok: false, faults };
  try {
    return { ok: true, value: document.toJS() };
  } catch {
    return { ok: false, faults: [{ name: "the document", message: "has an alias that cannot be resolved." }] };
  }
}

type Path = readonly PropertyKey[];

/** A path as faults show it: `keys[1].roles`. */
export function showPath(path: Path): string {
  const shown = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return shown === "" ? "the document" : shown.replace(/^\./, "");
}

/** What a schema found wrong. Nothing that stands in the document is shown but its paths. */
export function faultsOf({ issues }: z.ZodError, known: readonly string[] = []): ConfigFault[] {
  return issues.flatMap((issue) => {
    if (issue.code !== "unrecognized_keys") return [{ name: showPath(issue.path), message: issue.message }];
    return issue.keys.map((key) => ({ name: showPath(issue.path), message: unknownKey(key, known) }));
  });
}

// A key that looks like no setting may be a secret in the wrong place.
function unknownKey(key: string, known: readonly string[]): string {
  const shown = /^[a-z_]{1,32}$/.test(key) ? key : "a key that is no name of a setting";
  const meant = closestName(key, known);
  return `has ${shown}, which is not known here.${meant === undefined ? "" : ` Did you mean ${meant}?`}`;
}
