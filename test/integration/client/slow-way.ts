import type { Socket } from "node:net";
import { onTestFinished } from "vitest";
import { openRedisWay } from "../../support/redis-way.ts";

/** A way to Redis on which single commands can be made to stand still. */
export interface SlowWay {
  readonly url: string;
  /** Resolves when what is said like this has come by, and stands still with all behind it on its connection. */
  hold(said: RegExp): Promise<void>;
  /** Lets all go on that stands still. */
  release(): void;
}

export async function openSlowWay(redisUrl: string): Promise<SlowWay> {
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
  }

  const url = await openRedisWay(redisUrl, ({ client, redis }) => {
    redis.pipe(client);
    carry(client, redis).catch(() => undefined);
  });
  onTestFinished(() => release());
  return {
    url,
    async hold(said) {
      const released = new Promise<void>((resolve) => (release = resolve));
      await new Promise<void>((caught) => (held = { said, caught, released }));
    },
    release() {
      held = undefined;
      release();
    },
  };
}
