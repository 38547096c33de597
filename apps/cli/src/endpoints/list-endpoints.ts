import type { EndpointReport } from "@assay/ledger";
import { showColumns } from "../columns.ts";
import { EXIT, type Report, type World } from "../report.ts";
import { type EndpointsOptions, withEndpoints } from "./with-endpoints.ts";

const WHY = { gone: "it said 410", failing: "it did nothing but fail", asked: "somebody asked for it" } as const;

/** `assay endpoints list`: how each endpoint of a tenant fares. */
export async function listEndpoints(options: EndpointsOptions, world: World): Promise<Report> {
  return await withEndpoints(options, world, async ({ all }) => ({
    exitCode: EXIT.fine,
    json: { endpoints: all.map(endpointJson) },
    text: all.length === 0 ? "Those that deliver have told of no endpoint." : showEndpoints(all, world),
  }));
}

/** An endpoint for programs. Times are unix ms. */
function endpointJson(endpoint: EndpointReport): object {
  const { name, host, hold, failingSince, lastSuccessAt, waiting, inFlight, dead, replay } = endpoint;
  return {
    name,
    host,
    state: hold === undefined ? "delivering" : "paused",
    ...(hold === undefined ? {} : { why: hold.why, since: hold.since }),
    ...(failingSince === undefined ? {} : { failing_since: failingSince }),
    ...(lastSuccessAt === undefined ? {} : { last_success_at: lastSuccessAt }),
    waiting: hold === undefined ? waiting : 0,
    held: hold === undefined ? 0 : waiting,
    in_flight: inFlight,
    dead,
    ...(replay === undefined ? {} : { replay: { planned: replay.planned } }),
  };
}

function showEndpoints(all: readonly EndpointReport[], { paint }: World): string {
  const head = ["NAME", "HOST", "STATE", "WAITING", "HELD", "IN FLIGHT", "DEAD", "LAST SUCCESS"];
  const rows = all.map((endpoint) => {
    const { name, host, hold, waiting, inFlight, dead, lastSuccessAt } = endpoint;
    const isHeld = hold !== undefined;
    const numbers = [isHeld ? 0 : waiting, isHeld ? waiting : 0, inFlight, dead].map(String);
    return [name, host, stateOf(endpoint, paint), ...numbers, lastSuccessAt === undefined ? "-" : iso(lastSuccessAt)];
  });
  const notes = all.flatMap(({ name, hold, failingSince, replay }) => [
    ...(hold === undefined ? [] : [`${name} is on hold since ${iso(hold.since)}, because ${WHY[hold.why]}.`]),
    ...(failingSince === undefined ? [] : [`${name} does nothing but fail since ${iso(failingSince)}.`]),
    ...(replay === undefined ? [] : [`${name} is sent verdicts again: ${replay.planned} so far.`]),
  ]);
  return [...showColumns([head, ...rows]), ...(notes.length === 0 ? [] : ["", ...notes])].join("\n");
}

function stateOf({ hold, failingSince }: EndpointReport, paint: World["paint"]): string {
  if (hold !== undefined) return paint("red", "paused");
  return failingSince === undefined ? paint("green", "delivering") : paint("yellow", "delivering");
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
