import { LIST_TYPES, type ListType } from "../condition/list-type.ts";
import { type List } from "../condition/list.ts";
import type { FaultList, Faults } from "./fault.ts";
import type { FolderFiles } from "./folder-files.ts";
import type { Steps } from "../steps.ts";
import { type ListFile, readListFile } from "./list-file.ts";
import { checkName, Names } from "./names.ts";
import { entriesWithin, type Part, type PartEntry } from "./part.ts";
import { type Entry, readChoice, readEntries, readText, refuseUnknown } from "./yaml-entries.ts";

/** A list that a ruleset declares. */
export interface ListDeclaration {
  readonly name: string;
  readonly type: ListType;
  /** Relative to the folder of the rulesets. */
  readonly file: string;
  /** Stands for its entries. */
  readonly digest: string;
  readonly list: List | undefined;
}

/** What reading the lists of a ruleset needs. */
interface ListScope {
  readonly files: FolderFiles;
  readonly faults: Faults;
  readonly nowMs: number | undefined;
}

export const LIST_KEYS = ["type", "file"] as const;
const MAX_LISTS = 64;
export const LIST_PATH = /^(?![/.])(?!.*\/\.)(?!.*\/\/)[^\\]+\.txt$/;
const PATH_HINT = "a .txt file in the folder of the rulesets, by its path from there, as in lists/qa.txt";

/** Reads `lists:` of all parts, and the files they name. */
export function* readLists(parts: readonly Part[], scope: ListScope): Steps<ListDeclaration[]> {
  const names = new Names("list");
  const lists: ListDeclaration[] = [];
  for (const [index, declared] of entriesWithin(parts, "lists").entries()) {
    const { entry, faults } = declared;
    if (index === MAX_LISTS) faults.add(entry.nameAt, `At most ${MAX_LISTS} lists may be declared.`);
    const isUsable = checkName(entry, "list", faults) && names.take(entry.name, entry.nameAt, faults);
    const list = yield* readDeclaration(declared, scope);
    if (isUsable && list !== undefined) lists.push(list);
  }
  return lists;
}

function* readDeclaration({ entry, faults }: PartEntry, scope: ListScope): Steps<ListDeclaration | undefined> {
  const entries = readEntries(entry.value, entry.valueAt, "a list", faults);
  refuseUnknown(entries, "a list", LIST_KEYS, faults);
  const [typeEntry, fileEntry] = LIST_KEYS.map((key) => entries.find(({ name }) => name === key));
  if (typeEntry === undefined) faults.add(entry.nameAt, `A list needs a type: ${LIST_TYPES.join(", ")}.`);
  if (fileEntry === undefined) faults.add(entry.nameAt, `A list needs a file, as in lists/${entry.name}.txt.`);
  const type = typeEntry && readChoice(typeEntry, LIST_TYPES, faults);
  if (type === undefined) return undefined;
  const file = fileEntry === undefined ? "" : (readText(fileEntry, LIST_PATH, PATH_HINT, faults) ?? "");
  const read =
    fileEntry === undefined || file === "" ? undefined : yield* readOnce(type, file, fileEntry, faults, scope);
  if (read !== undefined) scope.faults.take(read.faults);
  return { name: entry.name, type, file, digest: read?.digest ?? "", list: read?.list };
}

function* readOnce(
  type: ListType,
  path: string,
  { valueAt }: Entry,
  faults: FaultList,
  { files, nowMs }: ListScope,
): Steps<ListFile | undefined> {
  const key = `${type} ${path}`;
  // Also where it has been read: each ruleset has its own files.
  const text = files.use(path);
  const known = files.lists.get(key);
  if (known !== undefined) return known;
  if (text === undefined) {
    faults.add(valueAt, `There is no file ${files.nameOf(path)}.${files.suggest(path)}`);
    return undefined;
  }
  const read = yield* readListFile(type, files.nameOf(path), text, nowMs);
  files.lists.set(key, read);
  return read;
}
