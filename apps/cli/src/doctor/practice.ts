import type { World } from "../report.ts";

export interface DoctorOptions {
  readonly rulesets?: string;
  readonly tenant?: string;
  /** False asks Fingerprint nothing. */
  readonly lookup: boolean;
}

/** What all parts of one examination share. */
export interface Practice {
  readonly options: DoctorOptions;
  readonly world: World;
  /** Unix ms; goes on. */
  readonly clock: () => number;
}
