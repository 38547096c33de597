// The compiler leaves SQL behind: migrations stand beside the module that runs them, also in dist.
import { cpSync } from "node:fs";

cpSync("src/migrations", "dist/migrations", { recursive: true });
