import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Why no certificate can be made here; absent where one can. */
export const withoutOpenssl = spawnSync("openssl", ["version"]).status === 0 ? undefined : "openssl is not installed";

/** A key and its certificate, as PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** An authority that nobody knows unless he is told. Its files go with `stop`. */
export interface Authority {
  /** Path of its certificate: what a client has to know. */
  readonly file: string;
  /** A certificate for a host, such as `localhost`; one that has expired where that is said. */
  issue(host: string, options?: { readonly expired?: boolean }): Promise<Certificate>;
  stop(): Promise<void>;
}

const execute = promisify(execFile);
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

export async function createAuthority(): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), "assay-ca-"));
  const path = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execute("openssl", args);
  const own = ["-keyout", path("ca.key"), "-out", path("ca.crt"), "-subj", "/CN=Assay test authority", "-days", "2"];
  await openssl("req", "-x509", ...NEW_KEY, ...own);
  let issued = 0;
  return {
    file: path("ca.crt"),
    async issue(host, { expired = false } = {}) {
      const base = path(String(issued++));
      const [key, request, cert, names] = [`${base}.key`, `${base}.csr`, `${base}.crt`, `${base}.ext`] as const;
      await writeFile(names, `subjectAltName=DNS:${host}`);
      await openssl("req", ...NEW_KEY, "-keyout", key, "-out", request, "-subj", `/CN=${host}`);
      const by = ["-CA", path("ca.crt"), "-CAkey", path("ca.key"), "-CAcreateserial", "-days", expired ? "-1" : "2"];
      await openssl("x509", "-req", "-in", request, ...by, "-extfile", names, "-out", cert);
      return { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8") };
    },
    stop: () => rm(folder, { recursive: true }),
  };
}
