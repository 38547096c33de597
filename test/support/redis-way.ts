import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** The two ends of one connection to Redis. */
export interface WayEnds {
  readonly client: Socket;
  readonly redis: Socket;
}

/**
 * A way to Redis on which each connection carries what `carry` makes it carry. Resolves with its address. A connection
 * that breaks at one end breaks at both, and all do when the test is over.
 */
export async function openRedisWay(redisUrl: string, carry: (ends: WayEnds) => void): Promise<string> {
  const { hostname, port } = new URL(redisUrl);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const redis = connect(Number(port), hostname);
    for (const socket of [client, redis]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => [client, redis].forEach((each) => each.destroy()));
    }
    carry({ client, redis });
  }).listen(0, "127.0.0.1");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("It listens on a port.");
  return `redis://127.0.0.1:${address.port}`;
}
