import { readDoorbell } from "./doorbell.ts";
import { createSuspectProcess } from "./suspect-process.ts";

const decide = createSuspectProcess();

/** What BullMQ loads in the child process. It takes the default export. */
export default async function suspect(job: { data: unknown }): Promise<void> {
  const doorbell = readDoorbell(job.data);
  if (doorbell !== undefined) await decide(doorbell);
}
