import type { Field, Platform } from "./catalogue.ts";
import type { Domain } from "./domain.ts";
import type { Literal } from "./expression.ts";

export const PLATFORMS: readonly Platform[] = ["browser", "android", "ios"];

/** The field that says which platform an event is of. */
export const PLATFORM_PATH = "sdk.platform";

/** How the vendor calls the platforms. What it calls otherwise, such as `unknown`, may be any of them. */
const NAMES: ReadonlyMap<Literal, Platform> = new Map<Literal, Platform>([
  ["js", "browser"],
  ["android", "android"],
  ["ios", "ios"],
]);

/** The platforms on which a signal can be present. */
export function platformsOf({ platforms }: Field): readonly Platform[] {
  return platforms ?? PLATFORMS;
}

/** The platforms that `sdk.platform` leaves when only these values are left to it. */
export function platformsNamed({ only }: Domain): readonly Platform[] {
  if (only === undefined) return PLATFORMS;
  const named = [...only].map((value) => NAMES.get(value));
  return PLATFORMS.filter((platform) => named.includes(platform) || named.includes(undefined));
}

/** `iOS`, `Android or iOS`, `browsers`. */
export function nameOf(platforms: readonly Platform[]): string {
  return platforms.map((platform) => WORDS[platform]).join(" or ");
}

/** `in browsers`, `on Android and iOS`. */
export function placeOf(platforms: readonly Platform[]): string {
  const apps = platforms.filter((platform) => platform !== "browser").map((platform) => WORDS[platform]);
  const places = [
    ...(platforms.includes("browser") ? ["in browsers"] : []),
    ...(apps.length > 0 ? [`on ${apps.join(" and ")}`] : []),
  ];
  return places.join(" and ");
}

const WORDS: Record<Platform, string> = { browser: "browsers", android: "Android", ios: "iOS" };
