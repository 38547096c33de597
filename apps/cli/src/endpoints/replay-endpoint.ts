import {
  endReplay,
  type EndpointReport,
  idBefore,
  readPublished,
  replayDeliveries,
  requestReplay,
  type StreamSpan,
} from "@assay/ledger";
import { count } from "../faults.ts";
import { CommandError, EXIT, type Report, type World } from "../report.ts";
import { readPastTime } from "../past-time.ts";
import { type Endpoints, type EndpointsOptions, named, withEndpoints } from "./with-endpoints.ts";

export interface ReplayOptions extends EndpointsOptions {
  readonly since?: string;
  readonly until?: string;
  readonly dryRun?: boolean;
  readonly cancel?: boolean;
}

/** `assay endpoints replay`: has every verdict of a time that an endpoint wants sent to it once more. */
export async function replay(name: string, options: ReplayOptions, world: World): Promise<Report> {
  if (options.cancel === true) return await cancel(name, options, world);
  const since = readPastTime("--since", options.since ?? "", world.now);
  const until = options.until === undefined ? undefined : readPastTime("--until", options.until, world.now);
  return await withEndpoints(options, world, async (endpoints) => {
    const endpoint = named(endpoints, name);
    const { redis, keys } = endpoints;
    const [seconds] = await redis.time();
    const end = until ?? (Number(seconds) + 1) * 1000;
    if (since >= end) throw new CommandError(EXIT.usage, "--since must be before --until, and not to come.");
    const span = { after: idBefore(`${since}-0`), before: `${end}-0` };
    const isFromArchive = await reach(endpoints, endpoint, span);
    const asked = `what ${name} wants of the verdicts since ${new Date(since).toISOString()}`;
    const upTo = until === undefined ? "" : ` and until ${new Date(until).toISOString()}`;
    const from = isFromArchive ? " Those that left the stream come from the archive." : "";
    const held = endpoint.hold === undefined ? "" : " It is on hold: they wait until it is resumed.";
    const json = { name, since, ...(until === undefined ? {} : { until }), from_archive: isFromArchive };
    if (options.dryRun === true) {
      return {
        exitCode: EXIT.fine,
        json: { ...json, dry_run: true },
        text: `Would send again ${asked}${upTo}.${from}${held} Nothing was done.`,
      };
    }
    if (!(await requestReplay(redis, keys, { endpoint: name, ...span }))) {
      throw new CommandError(
        EXIT.unavailable,
        `${name} is being sent verdicts again already. See assay endpoints list, or end it: assay endpoints replay ${name} --cancel`,
      );
    }
    const letters = await replayDeliveries(redis, keys, name, since, until);
    return {
      exitCode: EXIT.fine,
      json: { ...json, dry_run: false, dead_letters: letters },
      text: `Sends again ${asked}${upTo}, and ${count(letters, "dead letter")}.${from}${held} See how far it is: assay endpoints list`,
    };
  });
}

// Whether the head of the span has left the stream and is to come from the archive. Throws when it can come from nowhere.
async function reach({ redis, keys }: Endpoints, { hasArchive }: EndpointReport, span: StreamSpan): Promise<boolean> {
  const { trimmedBefore } = await readPublished(redis, keys, span, 1);
  if (trimmedBefore === undefined || hasArchive) return trimmedBefore !== undefined;
  // The next whole second, as this one is about to go.
  const oldest = new Date((Math.floor(Number(trimmedBefore.split("-")[0]) / 1000) + 1) * 1000).toISOString();
  throw new CommandError(
    EXIT.unavailable,
    `Verdicts from before ${oldest} have left the stream, and those that deliver have no archive. Give --since ${oldest} to replay what is left, or give them DATABASE_URL.`,
  );
}

async function cancel(name: string, options: ReplayOptions, world: World): Promise<Report> {
  return await withEndpoints(options, world, async (endpoints) => {
    named(endpoints, name);
    const wasThere = await endReplay(endpoints.redis, endpoints.keys, name);
    return {
      exitCode: EXIT.fine,
      json: { name, cancelled: wasThere },
      text: wasThere
        ? `${name} is sent no more verdicts again; those on their way still arrive.`
        : `${name} was not being sent verdicts again.`,
    };
  });
}
