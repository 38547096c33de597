import { closestName } from "@assay/protocol";
import type { ParsedNode } from "yaml";
import type { FaultList } from "./fault.ts";
import type { ListFile } from "./list-file.ts";

/** A part as YAML. */
export interface PartFile {
  /** Undefined when it holds nothing, or is not one plain document. */
  readonly root: ParsedNode | undefined;
  readonly faults: FaultList;
}

/** The files of one folder of rulesets, and which of them something uses. */
export class FolderFiles {
  readonly #prefix: string;
  readonly #texts: ReadonlyMap<string, string>;
  readonly #used = new Set<string>();
  readonly #taken = new Map<string, string>();
  /** Lists and parts that were read, as several rulesets may use the same ones. */
  readonly lists = new Map<string, ListFile>();
  readonly parts = new Map<string, PartFile>();

  /** `prefix` stands before a path in faults; texts are by path relative to the folder. */
  constructor(prefix: string, texts: ReadonlyMap<string, string>) {
    this.#prefix = prefix;
    this.#texts = texts;
  }

  /** What faults call a file. */
  nameOf(path: string): string {
    return this.#prefix + path;
  }

  /** The text of a file, which is used from now on; undefined when there is none. */
  use(path: string): string | undefined {
    this.#used.add(path);
    const text = this.#texts.get(path);
    if (text !== undefined) this.#taken.set(path, text);
    return text;
  }

  /** The files that were used since this was asked last, by path. */
  taken(): ReadonlyMap<string, string> {
    const taken = new Map(this.#taken);
    this.#taken.clear();
    return taken;
  }

  /** The path that was probably meant, as the end of a message that begins with a space. */
  suggest(path: string): string {
    const meant = closestName(path, [...this.#texts.keys()]);
    return meant === undefined ? " Paths are relative to the folder of the rulesets." : ` Did you mean ${meant}?`;
  }

  /** The files that nothing has used. */
  unused(): string[] {
    return [...this.#texts.keys()].filter((path) => !this.#used.has(path)).toSorted();
  }
}
