import { EVENT_SOURCES, type EventSource } from "@assay/protocol";
import { type Inputs, readInputs } from "./inputs.ts";

/** What a verdict was made from besides its submission and its event. */
export interface MadeFrom {
  /** Absent where nothing was asked of shared memory. */
  readonly inputs?: Inputs;
  /** Digest of the ruleset that decided. */
  readonly ruleset: string;
  /** Digest of the ruleset that was judged beside it. */
  readonly candidate?: string;
  /** How the event came; absent where there was none. */
  readonly source?: EventSource;
  /** Stands for an event that might have come otherwise another time. */
  readonly eventDigest?: string;
}

/** What `made from` is written as, to be compared and kept: `<inputs>|<ruleset>|<candidate>|<source>[:<event digest>]`. */
export function writeMadeFrom({ inputs, ruleset, candidate, source, eventDigest }: MadeFrom): string {
  const brought = eventDigest === undefined ? source : `${source}:${eventDigest}`;
  return [inputs?.pinned, ruleset, candidate, brought].map((part) => part ?? "").join("|");
}

/** Reads what `publish` keeps of it: the text of `writeMadeFrom`, and why it is undecided. Undefined for anything else. */
export function readMadeFrom(text: string): MadeFrom | undefined {
  const parts = text.split("|");
  const [ruleset, candidate, brought] = parts.splice(-4);
  if (ruleset === undefined || candidate === undefined || brought === undefined || parts.length === 0) return undefined;
  const [word = "", eventDigest] = brought.split(":");
  const source = EVENT_SOURCES.find((known) => known === word);
  if (source === undefined && word !== "") return undefined;
  const [first, ...more] = parts;
  // Whoever asks nothing has one empty place; a claim takes three, and stands before the counters.
  const claimed = first === "" ? "" : [first, ...more.splice(0, 2)].join("|");
  const isAsked = claimed !== "" || more.length > 0;
  return {
    ruleset,
    ...(isAsked ? { inputs: readInputs([claimed, ...more]) } : {}),
    ...(candidate === "" ? {} : { candidate }),
    ...(source === undefined ? {} : { source }),
    ...(eventDigest === undefined ? {} : { eventDigest }),
  };
}
