// Makes dist/assay.js, or the file it is given: the command with all it needs, so that `npx @assay/cli` installs nothing else.
import { cpSync } from "node:fs";
import { dirname, join } from "node:path";
import { argv } from "node:process";
import { build } from "esbuild";

const outfile = argv[2] ?? "dist/assay.js";

await build({
  entryPoints: ["src/main.ts"],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20.19",
  conditions: ["@assay/source"],
  // A client straight to Redis: the command only speaks HTTP. Postgres's own C library: pg asks for it where it is there.
  external: ["./redis-transport.ts", "pg-native"],
  // Libraries written for CommonJS ask for Node's own modules by require.
  banner: {
    js: 'import { createRequire as requireFrom } from "node:module";\nconst require = requireFrom(import.meta.url);',
  },
  legalComments: "linked",
  logLevel: "warning",
});

// They stand beside the module that runs them.
cpSync("../../packages/archive/src/migrations", join(dirname(outfile), "migrations"), { recursive: true });
