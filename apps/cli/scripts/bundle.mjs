// Makes dist/assay.js, or that of the folder it is given: the command with all it needs, so that `npx @assay/cli`
// installs nothing else. What one command alone needs stands in files of its own, which it loads, so that all start fast.
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { build } from "esbuild";

const outdir = argv[2] ?? "dist";
mkdirSync(outdir, { recursive: true });
for (const name of readdirSync(outdir)) if (name.startsWith("assay")) rmSync(join(outdir, name));

await build({
  entryPoints: { assay: "src/main.ts", "assay-judge": "src/backtest/judge.ts" },
  outdir,
  splitting: true,
  chunkNames: "assay-[hash]",
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
cpSync("../../packages/archive/src/migrations", join(outdir, "migrations"), { recursive: true });
