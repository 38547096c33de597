import type { StandInOptions } from "@assay/fingerprint/stand-in";
import { type FingerprintApi, startFingerprintApi } from "./fingerprint-api.ts";
import { openWorkerStack, type WorkerStack } from "./worker-stack.ts";

/** A stack whose workers look events up at a stand-in for the vendor; it ends with the stack. */
export interface VendorStack extends WorkerStack {
  readonly api: FingerprintApi;
}

export async function openVendorStack(
  options: { vendor?: StandInOptions; env?: Record<string, string>; redisUrl?: string } = {},
): Promise<VendorStack> {
  const { vendor, redisUrl } = options;
  const api = await startFingerprintApi(vendor);
  const stack = await openWorkerStack({
    ...(redisUrl === undefined ? {} : { redisUrl }),
    env: { ASSAY_FINGERPRINT_API_KEYS: "secret-api-key", ASSAY_FINGERPRINT_API_URL: api.url, ...options.env },
  });
  return {
    ...stack,
    api,
    async stop() {
      await stack.stop();
      await api.stop();
    },
  };
}
