import { DEFAULT_TENANT } from "@assay/protocol";
import type { Command } from "commander";
import type { CommandTools } from "./command-tools.ts";
import type { ReplayOptions } from "./endpoints/replay-endpoint.ts";
import type { EndpointsOptions } from "./endpoints/with-endpoints.ts";

/** Adds `assay endpoints`. Each is loaded only when it is asked for. */
export function addEndpointsCommands(program: Command, { world, finish, plain }: CommandTools): void {
  const endpoints = program
    .command("endpoints")
    .description("where verdicts are sent: how that fares, holds and replays; by REDIS_URL and ASSAY_PREFIX");
  const add = (name: string) => plain(endpoints, name).option("--tenant <name>", "whose endpoints", DEFAULT_TENANT);

  add("list")
    .description("show each endpoint: its state, what waits, what is held and dead, and its last success")
    .action(async (options: EndpointsOptions) => {
      const { listEndpoints } = await import("./endpoints/list-endpoints.ts");
      finish(await listEndpoints(options, world));
    });

  add("pause")
    .description("hold an endpoint's verdicts, for a week at most")
    .argument("<name>", "the endpoint")
    .action(async (name: string, options: EndpointsOptions) => {
      const { pause } = await import("./endpoints/hold-endpoint.ts");
      finish(await pause(name, options, world));
    });

  add("resume")
    .description("end an endpoint's hold, and send what was held")
    .argument("<name>", "the endpoint")
    .action(async (name: string, options: EndpointsOptions) => {
      const { resume } = await import("./endpoints/hold-endpoint.ts");
      finish(await resume(name, options, world));
    });

  add("replay")
    .description("send an endpoint once more what it wants of the verdicts of a time, under the same webhook ids")
    .argument("<name>", "the endpoint")
    .option("--since <time>", "a span such as 2d, or a time")
    .option("--until <time>", "the same; now when absent")
    .option("--dry-run", "only say what would be done")
    .option("--cancel", "end the replay that is under way")
    .action(async (name: string, options: ReplayOptions) => {
      const { replay } = await import("./endpoints/replay-endpoint.ts");
      finish(await replay(name, options, world));
    });
}
