import type { Abilities, Sightings } from "@assay/ledger";
import type { Keys } from "@assay/protocol";
import type { RulesetFolder } from "@assay/rules";
import type { Redis } from "ioredis";
import type { Settings, TenantSettings } from "./settings.ts";

/** An installation as it stands in Redis. */
export interface Patient {
  readonly settings: Settings;
  /** A connection that is ready. */
  readonly redis: Redis;
  /** By Redis's clock, unix ms. */
  readonly now: number;
  readonly tenants: readonly TenantPatient[];
}

/** One tenant of it. */
export interface TenantPatient {
  readonly tenant: TenantSettings;
  readonly keys: Keys;
  readonly sightings: Sightings;
  /** What its processes said that they can. */
  readonly abilities: Abilities;
  /** Absent where they cannot be loaded. */
  readonly rulesets: RulesetFolder | undefined;
}
