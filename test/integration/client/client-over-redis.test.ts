import { createAssayClient } from "@assay/client";
import { inject } from "vitest";
import { clientConformance } from "./conformance.ts";
import { openInstallation } from "./installation.ts";

clientConformance("a client straight to Redis", async () => {
  const installation = await openInstallation(inject("redisUrl"));
  const { url, prefix, keys, redis } = installation;
  return {
    client: createAssayClient({ connection: { url }, prefix }),
    decideAll: (action) => installation.decideAll(action),
    expire: async (id) => void (await redis.del(keys.verdict(id))),
    close: () => installation.close(),
  };
});
