import { type AssayClient, type ConsumeOptions, createAssayClient } from "@assay/client";
import type { Action } from "@assay/protocol";
import { type Installation, openInstallation } from "./installation.ts";

export const GROUP = "crm";

/** Quick enough for a test: second deliveries after 10 ms, takeovers after 300 ms. */
export const QUICK: ConsumeOptions = { group: GROUP, from: "beginning", retryAfterMs: 10, takeoverAfterMs: 300 };

/** An installation with verdicts in its stream, and clients that receive them. */
export interface Stage {
  readonly installation: Installation;
  /** A client straight to Redis; it is closed with the stage. */
  aClient(): AssayClient;
  /** Publishes a verdict for each action, in order; a `block` has flow `login`, others `pay`. Returns their ids. */
  publish(...actions: Action[]): Promise<string[]>;
  /** How much of the group is delivered and not acknowledged. */
  pendingCount(): Promise<unknown>;
  /** How much is the group's own though it left the stream. */
  goneCount(): Promise<number>;
  /** Whether everything in the stream was delivered to the group and acknowledged, and all that left it. */
  allAcknowledged(): Promise<boolean>;
  /** What XINFO lists: groups of the stream, or consumers of the group. */
  infos(what: "GROUPS" | "CONSUMERS"): Promise<unknown[]>;
  /** Dead letters of deliveries, as fields. */
  deadLetters(): Promise<Record<string, string>[]>;
  close(): Promise<void>;
}

/** Opens a stage of its own for a test. */
export async function openStage(url: string): Promise<Stage> {
  const installation = await openInstallation(url);
  const { redis, keys, prefix } = installation;
  const stream = keys.verdicts();
  const clients: AssayClient[] = [];

  function aClient(): AssayClient {
    const client = createAssayClient({ connection: url, prefix });
    clients.push(client);
    return client;
  }

  async function pendingCount(): Promise<unknown> {
    const [count] = await redis.xpending(stream, GROUP);
    return count;
  }

  async function goneCount(): Promise<number> {
    return (await redis.hlen(keys.goneEntries(GROUP))) + (await redis.llen(keys.gaps(GROUP)));
  }

  async function infos(what: "GROUPS" | "CONSUMERS"): Promise<unknown[]> {
    const answer: unknown =
      what === "GROUPS" ? await redis.xinfo(what, stream) : await redis.xinfo(what, stream, GROUP);
    return Array.isArray(answer) ? answer : [];
  }

  return {
    installation,
    aClient,
    pendingCount,
    goneCount,
    infos,
    async publish(...actions) {
      const client = aClient();
      const ids: string[] = [];
      for (const action of actions) {
        const flow = action === "block" ? "login" : "pay";
        const { id } = await client.submit({ event_id: "event-1", context: { flow } });
        await installation.decideAll(action);
        ids.push(id);
      }
      return ids;
    },
    async allAcknowledged() {
      const [group] = await infos("GROUPS");
      const fields: unknown[] = Array.isArray(group) ? group : [];
      const [last] = await redis.xrevrange(stream, "+", "-", "COUNT", 1);
      return (
        fields[fields.indexOf("last-delivered-id") + 1] === last?.[0] &&
        (await pendingCount()) === 0 &&
        (await goneCount()) === 0
      );
    },
    async deadLetters() {
      const letters = await redis.xrange(keys.deadLetters("delivery"), "-", "+");
      return letters.map(([, fields]) =>
        Object.fromEntries(fields.flatMap((_, at) => (at % 2 === 0 ? [fields.slice(at, at + 2)] : []))),
      );
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
      await installation.close();
    },
  };
}
