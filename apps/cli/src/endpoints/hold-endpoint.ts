import { pauseEndpoint, resumeEndpoint } from "@assay/ledger";
import { count } from "../faults.ts";
import { EXIT, type Report, type World } from "../report.ts";
import { type EndpointsOptions, named, withEndpoints } from "./with-endpoints.ts";

/** `assay endpoints pause`: what comes is held until the endpoint is resumed. What is in flight still lands. */
export async function pause(name: string, options: EndpointsOptions, world: World): Promise<Report> {
  return await withEndpoints(options, world, async (endpoints) => {
    const wasPaused = named(endpoints, name).hold !== undefined;
    await pauseEndpoint(endpoints.redis, endpoints.keys, name);
    return {
      exitCode: EXIT.fine,
      json: { name, state: "paused", was_paused: wasPaused },
      text: wasPaused
        ? `${name} was on hold already, and stays so.`
        : `${name} is on hold: its verdicts wait, for a week at most. To go on: assay endpoints resume ${name}`,
    };
  });
}

/** `assay endpoints resume`: ends a hold, for whatever reason it was. */
export async function resume(name: string, options: EndpointsOptions, world: World): Promise<Report> {
  return await withEndpoints(options, world, async (endpoints) => {
    const { hold, waiting } = named(endpoints, name);
    await resumeEndpoint(endpoints.redis, endpoints.keys, name);
    return {
      exitCode: EXIT.fine,
      json: { name, state: "delivering", was_paused: hold !== undefined, due: waiting },
      text:
        hold === undefined
          ? `${name} was not on hold. It is tried again at once.`
          : `${name} is on hold no more: ${count(waiting, "verdict")} will be sent.`,
    };
  });
}
