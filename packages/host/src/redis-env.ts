import { type Durability, DURABILITIES, SERVER_ASSERTIONS, type ServerAssertion } from "@assay/ledger";
import { DEFAULT_PREFIX } from "@assay/protocol";
import type { EnvReader } from "./env.ts";

/** Where Redis is, and what is promised of it. Every app reads the same. */
export interface RedisEnv {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly durability: Durability;
  readonly redisAssertions: readonly ServerAssertion[];
}

const NOT_IN_THIS_VERSION = "not in this version";

/** Reads `REDIS_URL`, `ASSAY_PREFIX`, `ASSAY_DURABILITY` and `ASSAY_REDIS_ASSERT`. */
export function readRedisEnv(reader: EnvReader): RedisEnv {
  return {
    redisUrl: readRedisUrl(reader),
    prefix: reader.string("ASSAY_PREFIX", {
      default: DEFAULT_PREFIX,
      pattern: /^[A-Za-z0-9_.-]{1,64}$/,
      describe: "1 to 64 characters of A-Z, a-z, 0-9, _ . and -",
    }),
    durability: readDurability(reader),
    redisAssertions: readAssertions(reader),
  };
}

function readRedisUrl(reader: EnvReader): string {
  const url = reader.secret("REDIS_URL");
  if (url === undefined) reader.fault("REDIS_URL", "is not set. Set it to redis://host:6379, or rediss:// for TLS.");
  else if (/^redis\+(cluster|sentinel):/.test(url)) {
    reader.fault(
      "REDIS_URL",
      `names a cluster or Sentinel, which is ${NOT_IN_THIS_VERSION}. Set it to redis://host:6379.`,
    );
  } else if (!/^rediss?:\/\//.test(url) || !URL.canParse(url)) {
    reader.fault("REDIS_URL", "is not a redis:// or rediss:// address. Set it to redis://host:6379.");
  }
  return url ?? "";
}

function readDurability(reader: EnvReader): Durability {
  if (reader.optional("ASSAY_DURABILITY") !== "replica") {
    return reader.choice("ASSAY_DURABILITY", DURABILITIES, { default: "local" });
  }
  reader.fault("ASSAY_DURABILITY", `is replica, which is ${NOT_IN_THIS_VERSION}. Set it to memory or local.`);
  return "local";
}

function readAssertions(reader: EnvReader): readonly ServerAssertion[] {
  return reader.list("ASSAY_REDIS_ASSERT").flatMap((given) => {
    const known = SERVER_ASSERTIONS.find((assertion) => assertion === given);
    if (known !== undefined) return [known];
    reader.fault(
      "ASSAY_REDIS_ASSERT",
      `may only list ${SERVER_ASSERTIONS.join(" and ")}. It lists ${JSON.stringify(given)}.`,
    );
    return [];
  });
}
