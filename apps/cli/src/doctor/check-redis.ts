import { checkServer } from "@assay/ledger";
import type { Finding } from "./finding.ts";
import type { Patient } from "./patient.ts";

/** Whether this Redis keeps what a 202 promises. */
export async function checkRedis({ redis, settings }: Patient): Promise<Finding[]> {
  const { durability, redisAssertions: assertions } = settings;
  const info = await redis.info("server");
  const version = /^(?:valkey|redis)_version:(\S+)/m.exec(info)?.[1] ?? "of an unknown version";
  const { faults } = await checkServer(redis, { durability, assertions });
  if (faults.length === 0) {
    const promise =
      durability === "local" ? "every write is on disk before it is confirmed" : "writes may be lost with its machine";
    return [
      { name: "redis", status: "ok", says: `Redis ${version}, durability ${durability}: evicts nothing, ${promise}` },
    ];
  }
  return faults.map((fault) => {
    // What is wrong, a colon, what to do.
    const [, says = fault, todo] = /^(.*?): (.*)$/s.exec(fault) ?? [];
    return { name: "redis", status: "fail", says, do: todo };
  });
}
