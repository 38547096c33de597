// Makes dist/assay.js, or the file it is given: the command with all it needs, so that `npx @assay/cli` installs nothing else.
import { argv } from "node:process";
import { build } from "esbuild";

await build({
  entryPoints: ["src/main.ts"],
  outfile: argv[2] ?? "dist/assay.js",
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20.19",
  conditions: ["@assay/source"],
  // A client straight to Redis: the command only speaks HTTP.
  external: ["./redis-transport.ts"],
  // Libraries written for CommonJS ask for Node's own modules by require.
  banner: { js: 'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);' },
  legalComments: "linked",
  logLevel: "warning",
});
