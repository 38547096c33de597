import { defineConfig } from "vitest/config";

// Tests read the sources through the `@assay/source` export condition, so they need no build.
const conditions = ["@assay/source"];

export default defineConfig({
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    // Tests mostly wait: for processes to start and die, and for times to pass. One fewer than processors is the default.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        // They share modules, as none of them changes one: loading these for each file took as long as the tests.
        test: { name: "unit", include: ["{apps,packages}/*/src/**/*.test.ts"], isolate: false },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          globalSetup: ["test/support/redis-server.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
