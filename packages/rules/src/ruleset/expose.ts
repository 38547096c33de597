import type { Catalogue, Field } from "../condition/catalogue.ts";
import type { FaultList } from "./fault.ts";
import { type Entry, readTexts } from "./yaml-entries.ts";

/** Reads `expose:`, the signals that a verdict shows. */
export function readExpose(entry: Entry | undefined, catalogue: Catalogue, faults: FaultList): Field[] {
  if (entry === undefined) return [];
  return readTexts(entry, faults).flatMap(({ text: path, at }): Field[] => {
    const field = catalogue.field(path);
    if (field?.root !== "event") {
      const meant = catalogue.suggest(path);
      const fix = meant === undefined ? "Expose takes names of the event's fields." : `Did you mean ${meant}?`;
      faults.add(at, `${path} is not a signal. ${fix}`);
      return [];
    }
    if (field.type !== "object" && field.type !== "array") return [field];
    faults.add(at, `${path} is a group of signals. Expose single ones, by their full names.`);
    return [];
  });
}
