import { createAssayClient } from "@assay/client";
import { inject } from "vitest";
import { startIngress } from "../ingress/open-ingress.ts";
import { clientConformance } from "./conformance.ts";

clientConformance("a client over HTTP", async () => {
  const opened = await startIngress(inject("redisUrl"), { ASSAY_INGRESS_KEYS: "secret" });
  const { installation, baseUrl } = opened;
  const { redis, keys } = installation;
  return {
    client: createAssayClient({ url: baseUrl, key: "secret" }),
    decideAll: (action) => installation.decideAll(action),
    expire: async (id) => void (await redis.del(keys.verdict(id))),
    close: () => opened.close(),
  };
});
