import type { ServerResponse } from "node:http";

/** What goes over the wire for one request. */
export type Reply =
  | { readonly how: "whole"; readonly status: number; readonly type: ContentType; readonly body: string }
  /** Announces all of the body, sends half of it and resets the connection. */
  | { readonly how: "reset"; readonly status: number; readonly type: ContentType; readonly body: string }
  /** Begins with this, then goes on with a byte at a time, and never ends. */
  | {
      readonly how: "trickle";
      readonly status: number;
      readonly type: ContentType;
      readonly start: string;
      readonly everyMs: number;
    }
  | { readonly how: "never" };

type ContentType = "application/json" | "text/html" | "text/plain";

/** A whole answer of JSON. */
export function json(status: number, value: unknown): Reply {
  return { how: "whole", status, type: "application/json", body: JSON.stringify(value) };
}

/** Puts a reply on the wire. */
export function send(reply: Reply, response: ServerResponse): void {
  switch (reply.how) {
    case "whole":
      response.writeHead(reply.status, headers(reply)).end(reply.body);
      return;
    case "reset": {
      const half = reply.body.slice(0, reply.body.length / 2);
      // Not before the half is on its way.
      response.writeHead(reply.status, headers(reply)).write(half, () => response.socket?.resetAndDestroy());
      return;
    }
    case "trickle": {
      response.writeHead(reply.status, { "content-type": reply.type }).write(reply.start);
      const trickling = setInterval(() => response.write("x"), reply.everyMs);
      response.once("close", () => clearInterval(trickling));
      return;
    }
    case "never":
      return;
  }
}

function headers({ type, body }: { readonly type: ContentType; readonly body: string }) {
  return { "content-type": type, "content-length": Buffer.byteLength(body) };
}
