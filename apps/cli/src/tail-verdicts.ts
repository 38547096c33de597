import { createAssayClient, type TailedVerdict, type Trimmed, type VerdictFilter } from "@assay/client";
import { type Action, ACTIONS, type Kind, KINDS, ProblemError } from "@assay/protocol";
import { count } from "./faults.ts";
import { placeOf } from "./ingress-place.ts";
import { CommandError, EXIT, type Report, type World } from "./report.ts";
import { verdictLine } from "./verdict-line.ts";

export interface TailVerdictsOptions {
  readonly url?: string;
  /** `name=value` each. */
  readonly filter: readonly string[];
  readonly flow: readonly string[];
  readonly test?: boolean;
  readonly json?: boolean;
}

/**
 * `assay verdicts tail`: a line for each verdict as it is made, until it is interrupted. With `--json` the line is the
 * verdict, and there is no report. What was missed and what went wrong are lines, too: of people, or of JSON.
 */
export async function tailVerdicts(options: TailVerdictsOptions, world: World): Promise<Report | undefined> {
  const { url, key } = placeOf(options.url, world, "To follow verdicts");
  const filter = readFilter(options);
  const client = open(url, key);
  const ending = new AbortController();
  const interrupted = world.interrupted().then(() => ending.abort());
  const tell = (kind: string, text: string, details: object) =>
    world.print(options.json === true ? JSON.stringify({ [kind]: details }) : world.paint("yellow", text));
  let verdicts = 0;
  try {
    const tail = client.tail({
      filter,
      signal: ending.signal,
      onTrimmed: (trimmed) => tell("trimmed", showTrimmed(trimmed), trimmed),
      onError: (error) => tell("error", `${url}: ${messageOf(error)} Trying again.`, { message: messageOf(error) }),
    });
    for await (const { verdict } of tail) {
      verdicts++;
      world.print(options.json === true ? JSON.stringify(verdict) : showVerdict(verdict, world));
    }
    await interrupted;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    throw new CommandError(EXIT.unavailable, `${url}: ${error.message}`, { cause: error });
  } finally {
    await client.close();
  }
  if (options.json === true) return undefined;
  return { exitCode: EXIT.fine, json: { verdicts }, text: `Stopped after ${count(verdicts, "verdict")}.` };
}

function open(url: string, key: string): ReturnType<typeof createAssayClient> {
  try {
    return createAssayClient({ url, key });
  } catch (error) {
    throw new CommandError(EXIT.usage, messageOf(error), { cause: error });
  }
}

function readFilter({ filter, flow, test }: TailVerdictsOptions): VerdictFilter {
  const action: Action[] = [];
  const kind: Kind[] = [];
  const flows = [...flow];
  for (const text of filter) {
    const [, name = "", value = ""] = /^(\w+)=(.*)$/s.exec(text) ?? [];
    if (name === "action") action.push(oneOf(ACTIONS, value, text));
    else if (name === "kind") kind.push(oneOf(KINDS, value, text));
    else if (name === "flow") flows.push(value);
    else throw new CommandError(EXIT.usage, `--filter ${text} is no action=…, kind=… or flow=….`);
  }
  return {
    ...(action.length === 0 ? {} : { action }),
    ...(kind.length === 0 ? {} : { kind }),
    ...(flows.length === 0 ? {} : { flow: flows }),
    ...(test === true ? { test } : {}),
  };
}

function oneOf<Value extends string>(known: readonly Value[], value: string, text: string): Value {
  const found = known.find((one) => one === value);
  if (found !== undefined) return found;
  throw new CommandError(EXIT.usage, `--filter ${text} is none of ${known.join(", ")}.`);
}

function showVerdict(verdict: TailedVerdict["verdict"], { paint }: World): string {
  return verdictLine(new Date(verdict.decided_at).toISOString().slice(11, 23), verdict, paint);
}

const AND_THE_ARCHIVE = {
  none: "",
  follows: " They follow from the archive.",
  away: " The archive does not answer: they are not shown.",
  missing: " The archive has not got them.",
  waits: " They wait in the archive.",
} as const;

function showTrimmed({ lost, from, to, archive }: Trimmed): string {
  const [since, until] = [from, to].map((ms) => new Date(ms).toISOString());
  const what = lost === undefined ? "Verdicts" : count(lost, "verdict");
  return `${what} of between ${since} and ${until} had left the stream before they could be shown.${AND_THE_ARCHIVE[archive ?? "none"]}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
