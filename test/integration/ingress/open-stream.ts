import { isRecord } from "@assay/protocol";
import { onTestFinished } from "vitest";
import { SHOP_KEY } from "./open-ingress.ts";

/** One event of a stream, or a block without one. */
interface StreamEvent {
  readonly event: string | undefined;
  readonly id: string | undefined;
  /** Its data as JSON; undefined where there is none. */
  readonly data: unknown;
}

/** An open `GET /v1/stream` that is read as it comes. */
export interface OpenStream {
  readonly headers: Headers;
  /** All that was read. */
  text(): string;
  events(name?: string): StreamEvent[];
  /** Ids of the verdicts that came, in order. */
  verdictIds(): unknown[];
  /** The last id that was named. */
  lastEventId(): string;
  /** Resolves when the server has ended it; rejects when it broke. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Opens a stream as the key `shop`; closes it when the test ends. */
export async function openStream(
  baseUrl: string,
  query = "",
  headers: Readonly<Record<string, string>> = {},
): Promise<OpenStream> {
  const closing = new AbortController();
  onTestFinished(() => closing.abort());
  const response = await fetch(`${baseUrl}/v1/stream${query}`, {
    headers: { ...SHOP_KEY, ...headers },
    signal: closing.signal,
  });
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  let text = "";
  const ended = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
  })();
  ended.catch(() => undefined);
  const events = (name?: string) => {
    const all = text.split("\n\n").slice(0, -1).map(readBlock);
    return name === undefined ? all : all.filter(({ event }) => event === name);
  };
  return {
    headers: response.headers,
    text: () => text,
    events,
    verdictIds: () => events("verdict.decided").map(({ data }) => (isRecord(data) ? data["id"] : undefined)),
    lastEventId: () => events().findLast(({ id }) => id !== undefined)?.id ?? "",
    ended,
    close: () => closing.abort(),
  };
}

function readBlock(block: string): StreamEvent {
  const value = (name: string) =>
    block
      .split("\n")
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2);
  const data = value("data");
  return { event: value("event"), id: value("id"), data: data === undefined ? undefined : JSON.parse(data) };
}
