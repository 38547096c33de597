/** What the stand-in can be told to do instead of answering as it should. Closed list. */
export type Misbehaviour =
  /** 404, though the event may be there. Once, it is an event that is not there yet. */
  | { readonly kind: "not_found" }
  /** 429: the vendor's own JSON, or a page of something in between. */
  | { readonly kind: "throttled"; readonly as: "json" | "html" }
  /** 403, for example by a key of another region. */
  | { readonly kind: "forbidden"; readonly code: ForbiddenCode }
  /** The vendor's own 500 or 503. */
  | { readonly kind: "failing"; readonly status: 500 | 503 }
  /** A 200 whose body comes byte by byte (default every 20 ms) and never ends. */
  | { readonly kind: "slow_loris"; readonly everyMs?: number }
  /** No answer at all. */
  | { readonly kind: "hang" }
  /** A 200 whose connection is reset in the middle of the body. */
  | { readonly kind: "reset" }
  /** A 200 that ends well in the middle of its JSON. */
  | { readonly kind: "truncated" }
  /** An event of 10 MB. */
  | { readonly kind: "huge" }
  /** A 200 with JSON that is no event, or an event whose signals have wrong types. */
  | { readonly kind: "wrong_schema"; readonly as: "not_an_event" | "wrong_types" }
  /** Every second answer for an id is as it should be. The others tell of another visitor, or of none. */
  | { readonly kind: "flip_flop"; readonly with: "another_visitor" | "not_found" }
  /** A 200 that says it was throttled, as v3 does. */
  | { readonly kind: "v3_throttled" }
  /** This status with this JSON. */
  | { readonly kind: "answer"; readonly status: number; readonly body: unknown };

export type ForbiddenCode =
  | "secret_api_key_not_found"
  | "subscription_not_active"
  | "wrong_region"
  | "feature_not_enabled";
