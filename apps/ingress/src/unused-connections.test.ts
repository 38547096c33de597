import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { watchUnusedConnections } from "./unused-connections.ts";

describe("watchUnusedConnections", () => {
  test("lets a server close though somebody connected and sent nothing, and answers what was asked", async () => {
    const server = createServer((_, response) => response.end("answer"));
    const endUnused = watchUnusedConnections(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    const unused = connect(port, "127.0.0.1");
    await once(server, "connection");
    const asking = fetch(`http://127.0.0.1:${port}`, { headers: { connection: "close" } });
    await once(server, "request");
    const closed = once(server, "close");
    server.close();
    endUnused();
    await closed;
    expect(await (await asking).text()).toBe("answer");
    unused.destroy();
  });
});
