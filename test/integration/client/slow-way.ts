import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A way to Redis on which single commands can be made to stand still. */
export interface SlowWay {
  readonly url: string;
  /** Resolves when what is said like this has come by, and stands still with all behind it on its connection. */
  hold(said: RegExp): Promise<void>;
  /** Lets all go on that stands still. */
  release(): void;
  close(): Promise<void>;
}

export async function openSlowWay(redisUrl: string): Promise<SlowWay> {
  const { hostname, port } = new URL(redisUrl);
  const sockets = new Set<Socket>();
  let held: { readonly said: RegExp; readonly caught: () => void; readonly released: Promise<void> } | undefined;
  let release = () => {};

  async function carry(from: Socket, to: Socket): Promise<void> {
    for await (const chunk of from) {
      if (held?.said.test(String(chunk)) === true) {
        held.caught();
        await held.released;
      }
      to.write(chunk);
    }
    to.end();
  }

  const server = createServer((client) => {
    const redis = connect(Number(port), hostname);
    for (const socket of [client, redis]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
    }
    redis.pipe(client);
    carry(client, redis).catch(() => undefined);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("It listens on a port.");
  return {
    url: `redis://127.0.0.1:${address.port}`,
    async hold(said) {
      const released = new Promise<void>((resolve) => (release = resolve));
      await new Promise<void>((caught) => (held = { said, caught, released }));
    },
    release() {
      held = undefined;
      release();
    },
    async close() {
      release();
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
