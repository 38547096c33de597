/** Longest Event by any door, in bytes of JSON; also the inflate limit of a sealed result. */
export const MAX_EVENT_BYTES = 512 * 1024;

/**
 * One Fingerprint identification in the shape of Server API v4, whichever version it came in.
 * Only `event_id` and `timestamp` are certain. Every other field may be absent, and absent never means false.
 * Named here are the fields Assay itself reads; all others pass through (their catalogue is `EVENT_FIELDS`).
 */
export interface Event {
  readonly event_id: string;
  /** Unix ms. */
  readonly timestamp: number;
  readonly source?: string;
  readonly incremental_identification_status?: string;
  readonly linked_id?: string;
  readonly environment_id?: string;
  readonly sdk?: { readonly platform?: string; readonly [field: string]: unknown };
  readonly replayed?: boolean;
  readonly identification?: { readonly visitor_id?: string; readonly [field: string]: unknown };
  readonly supplementary_id_high_recall?: { readonly visitor_id?: string; readonly [field: string]: unknown };
  readonly url?: string;
  readonly bundle_id?: string;
  readonly package_name?: string;
  readonly ip_address?: string;
  readonly user_agent?: string;
  readonly ip_info?: {
    readonly v4?: { readonly address?: string; readonly [field: string]: unknown };
    readonly v6?: { readonly address?: string; readonly [field: string]: unknown };
  };
  readonly vpn_methods?: { readonly relay?: boolean; readonly [field: string]: unknown };
  readonly suspect_score?: number;
  readonly [field: string]: unknown;
}

/** Where the event of a verdict came from. */
export const EVENT_SOURCES = ["sealed", "stored", "lookup", "webhook"] as const;

export type EventSource = (typeof EVENT_SOURCES)[number];
