// Adds to package-lock.json the optional packages of other platforms that npm left out because the registry it was run
// against does not hold them. Without them `npm ci` refuses the lock everywhere. Run it after `npm install`.
import { readFileSync, writeFileSync } from "node:fs";

const OS = { windows: "win32" };
const CPU = { 64: "x64" };
const LIBC = { gnu: "glibc", gnueabihf: "glibc", musl: "musl", musleabihf: "musl" };

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
const packages = lock.packages;
let added = 0;
for (const [where, { dev, optionalDependencies = {} }] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const path = `node_modules/${name}`;
    if (path in packages || `${where}/${path}` in packages) continue;
    packages[path] = { version, ...platformOf(name), ...(dev ? { dev } : {}), optional: true };
    added++;
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).toSorted(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} packages added`);

// A native package is named by what it runs on: `@oxlint/binding-linux-arm64-musl`.
function platformOf(name) {
  const [os, cpu, libc] = name
    .split("/")
    .at(-1)
    .replace(/^(binding|msgpackr-extract)-/, "")
    .split("-");
  const fits = { os: [OS[os] ?? os], cpu: [CPU[cpu] ?? cpu] };
  return os === "linux" && libc in LIBC ? { ...fits, libc: [LIBC[libc]] } : fits;
}
