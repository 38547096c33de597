import { isRecord } from "@assay/protocol";
import { CommandError, EXIT, type World } from "./report.ts";

/** An ingress, and what it knows us by. */
export interface IngressPlace {
  readonly url: string;
  readonly key: string;
}

const TIMEOUT_MS = 30_000;

/** The ingress of `--url`, else of `ASSAY_URL`, with `ASSAY_KEY`. `purpose` begins what is said without them: "To follow verdicts". */
export function placeOf(given: string | undefined, { env }: Pick<World, "env">, purpose: string): IngressPlace {
  const url = given ?? env["ASSAY_URL"];
  const key = env["ASSAY_KEY"];
  if (url && key) return { url, key };
  throw new CommandError(
    EXIT.usage,
    `${purpose}, set ASSAY_URL to the address of an ingress and ASSAY_KEY to a secret of its ASSAY_INGRESS_KEYS with the role read.`,
  );
}

/** The text that a path answers, which is JSON. Throws a CommandError that says what the ingress says. */
export async function askIngress({ url, key }: IngressPlace, path: string): Promise<string> {
  const response = await reach(url, path, key);
  const { status } = response;
  const text = await response.text();
  const body = parse(text);
  if (status === 200 && body !== undefined) return text;
  const detail = isRecord(body) && typeof body["detail"] === "string" ? body["detail"] : undefined;
  const why =
    detail ?? `${status} came from something that is no Assay ingress. Check the url, and what stands before it.`;
  throw new CommandError(status === 400 ? EXIT.usage : EXIT.unavailable, `${url}: ${why}`);
}

async function reach(url: string, path: string, key: string): Promise<Response> {
  const base = url.endsWith("/") ? url : `${url}/`;
  if (!/^https?:\/\//.test(url) || !URL.canParse(path, base)) {
    throw new CommandError(EXIT.usage, `${url} is no http:// or https:// address of an ingress.`);
  }
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    return await fetch(new URL(path, base), { headers: { authorization: `Bearer ${key}` }, signal });
  } catch (cause) {
    throw new CommandError(EXIT.unavailable, `${url} could not be reached.`, { cause });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
