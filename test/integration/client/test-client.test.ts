import { createTestClient } from "@assay/client/testing";
import { clientConformance } from "./conformance.ts";

clientConformance("a client for tests", () => {
  const client = createTestClient({ decide: () => undefined });
  return Promise.resolve({
    client,
    async decideAll(action = "allow") {
      const ids = client.submitted.filter(({ verdict }) => verdict === undefined).map(({ id }) => id);
      for (const id of ids) client.settle(id, action);
      return ids;
    },
    expire: async (id) => client.expire(id),
    close: () => Promise.resolve(),
  });
});
