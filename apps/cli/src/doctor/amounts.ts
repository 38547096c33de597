const KIB = 1024;
const UNITS = ["KiB", "MiB", "GiB", "TiB"];

/** `512 MiB`, `1.1 GiB`. */
export function showBytes(bytes: number): string {
  const power = Math.min(UNITS.length, Math.max(1, Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(KIB))));
  const amount = bytes / KIB ** power;
  return `${amount >= 10 ? Math.round(amount) : Number(amount.toFixed(1))} ${UNITS[power - 1]}`;
}

/** As redis.conf writes it, rounded up to whole MiB: `1600mb`. */
export function redisBytes(bytes: number): string {
  return `${Math.ceil(bytes / KIB / KIB / 64) * 64}mb`;
}

/** `3 s`, `5 min`, `2 h`, `3 d`. */
export function showTime(ms: number): string {
  const seconds = Math.abs(ms) / 1000;
  if (seconds < 1) return `${Math.round(Math.abs(ms))} ms`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 2 * 86_400 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** How long ago a time was: `3 s ago`. */
export function showAgo(at: number, now: number): string {
  return `${showTime(Math.max(0, now - at))} ago`;
}

/** `12/s`, `0.3/s`, `2/min`. */
export function showRate(perSecond: number): string {
  if (perSecond >= 10) return `${Math.round(perSecond)}/s`;
  return perSecond >= 0.1 ? `${Number(perSecond.toFixed(1))}/s` : `${Number((perSecond * 60).toFixed(1))}/min`;
}

/** `12 %`; what is there at all is not 0 %. */
export function showShare(share: number): string {
  return share > 0 && share < 0.01 ? "< 1 %" : `${Math.round(share * 100)} %`;
}

/** The first few of a list, and how many there are besides. */
export function showSome(names: readonly string[], most = 5): string {
  const rest = names.length - most;
  return rest <= 0 ? names.join(", ") : `${names.slice(0, most).join(", ")} and ${rest} more`;
}
