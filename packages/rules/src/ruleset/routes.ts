import { parseYaml } from "./document.ts";
import { FaultList, type Faults } from "./fault.ts";
import type { FolderFiles } from "./folder-files.ts";
import { FLOW_PATTERN } from "./settings.ts";
import { type PlacedText, readEntries, readText } from "./yaml-entries.ts";

/** Which ruleset decides a flow. */
export interface Routes {
  /** The flows that have a line of their own. */
  readonly flows: readonly string[];
  /** The rulesets that are named, and where. */
  readonly targets: readonly PlacedText[];
  readonly faults: FaultList;
  /** The name of the ruleset that decides a flow, or what comes without one. */
  rulesetOf(flow: string | undefined): string;
}

/** The ruleset that decides where nobody names another. */
export const DEFAULT_RULESET = "default";

const PATHS = ["_routes.yaml", "_routes.yml"];
const OTHER_FLOWS = "*";

/** Reads `_routes.yaml` of a folder. Without one, or where it holds nothing but comments, the default decides. */
export function readRoutes(files: FolderFiles, faults: Faults): Routes {
  const [found, second] = PATHS.flatMap((path) => {
    const text = files.use(path);
    return text === undefined ? [] : [faults.of(files.nameOf(path), text)];
  });
  second?.add(0, `The routes stand in ${PATHS.join(" or ")}, not in both.`);
  return routesOf(found ?? new FaultList(""));
}

function routesOf(faults: FaultList): Routes {
  const routes = new Map<string, PlacedText>();
  for (const entry of readEntries(parseYaml(faults) ?? null, 0, "the routes", faults)) {
    if (entry.name !== OTHER_FLOWS && !FLOW_PATTERN.test(entry.name)) {
      faults.add(entry.nameAt, "A flow is 1 to 64 characters of a-z, 0-9, _ and -, or '*' for all others.");
    }
    if (entry.name === DEFAULT_RULESET) {
      faults.warn(entry.nameAt, "This is a flow that is called default. For all flows without a line, write '*'.");
    }
    const text = readText(entry, /./, "the name of a ruleset", faults);
    if (text !== undefined) routes.set(entry.name, { text, at: entry.valueAt });
  }
  const others = routes.get(OTHER_FLOWS)?.text ?? DEFAULT_RULESET;
  return {
    flows: [...routes.keys()].filter((flow) => flow !== OTHER_FLOWS),
    targets: [...routes.values()],
    faults,
    rulesetOf: (flow) => (flow === undefined ? undefined : routes.get(flow)?.text) ?? others,
  };
}
