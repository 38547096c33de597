import { createSuspectProcess, readDoorbell } from "@assay/worker";
import { poisonable } from "./poison.ts";

const decide = createSuspectProcess(poisonable);

export default async function suspect(job: { data: unknown }): Promise<void> {
  const doorbell = readDoorbell(job.data);
  if (doorbell !== undefined) await decide(doorbell);
}
