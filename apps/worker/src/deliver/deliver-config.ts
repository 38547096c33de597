import type { EnvReader } from "@assay/host";
import { isAddressBlock } from "./address-guard.ts";
import type { Endpoint } from "./endpoint.ts";
import { readEndpointsFile } from "./endpoints-file.ts";

/** What the environment says of deliveries. */
export interface DeliverConfig {
  /** Of the file of endpoints, which is followed. */
  readonly path: string;
  readonly endpoints: readonly Endpoint[];
  /** Blocks of addresses to which any endpoint may be sent. */
  readonly allowed: readonly string[];
}

/** Reads where verdicts are to be delivered; undefined when nothing says so. */
export function readDeliverConfig(reader: EnvReader, tenants: readonly string[]): DeliverConfig | undefined {
  const allowed = reader.list("ASSAY_ENDPOINTS_ALLOW").filter((block) => {
    const isBlock = isAddressBlock(block);
    if (!isBlock) reader.fault("ASSAY_ENDPOINTS_ALLOW", "must be a comma list of blocks such as 10.20.0.0/16.");
    return isBlock;
  });
  const file = reader.file("ASSAY_ENDPOINTS_FILE", { describe: "endpoints that verdicts are delivered to" });
  if (file === undefined) return undefined;
  const read = readEndpointsFile(file.text, { tenants, hasAllowed: allowed.length > 0 });
  if (read.ok) return { path: file.path, endpoints: read.endpoints, allowed };
  for (const { name, message } of read.faults) reader.fault(`ASSAY_ENDPOINTS_FILE, ${name}`, message);
  return undefined;
}
