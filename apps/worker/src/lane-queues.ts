import { type Lane, LANES, queueName } from "@assay/protocol";

/** Every queue that these tenants' submissions wait in, and its lane: the shared ones once, lookups for each tenant. */
export function laneQueuesOf(tenants: Iterable<string>): ReadonlyMap<string, Lane> {
  return new Map([...tenants].flatMap((tenant) => LANES.map((lane) => [queueName(lane, tenant), lane] as const)));
}
