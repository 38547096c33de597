import { createSuspectProcess } from "@assay/worker";
import { poisonable } from "./poison.ts";

const decide = createSuspectProcess(poisonable);

export default async function suspect(job: { data: unknown }): Promise<void> {
  await decide(job.data);
}
