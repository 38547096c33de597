import { BlockList, isIP } from "node:net";
import { type Address, type Context, parseAddress, stripPort } from "@assay/protocol";

/** The part of a request that is looked at; Node's `IncomingMessage`, and so Express's and Fastify's raw one, has it. */
export interface RequestLike {
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined };
  readonly socket: { readonly remoteAddress?: string | undefined };
}

export interface ContextFromOptions {
  /**
   * The proxies before this server: how many there are, or their addresses and CIDR ranges. Default none: then
   * X-Forwarded-For is not looked at, as anybody may write it.
   */
  readonly trustedProxies?: number | readonly string[];
  /** Unix ms at which the event came in, if it is submitted later. */
  readonly observedAt?: number;
}

/** Longer ones are left out: no visitor's header may make a submission invalid. */
const MAX_ORIGIN = 512;
const MAX_USER_AGENT = 2048;

/**
 * What this server saw of the visitor: `ip`, `origin`, `user_agent`. What is not known, or not to be believed, is absent.
 * Throws a TypeError for `trustedProxies` that is neither a whole number nor a list of addresses and ranges.
 */
export function contextFrom(request: RequestLike, options: ContextFromOptions = {}): Context {
  const ip = visitorAddress(request, options.trustedProxies ?? 0);
  const origin = header(request, "origin");
  const userAgent = header(request, "user-agent");
  return {
    ...(ip === undefined ? {} : { ip }),
    // An opaque origin is sent as `null`.
    ...(origin === "" || origin === "null" || origin.length > MAX_ORIGIN ? {} : { origin }),
    ...(userAgent === "" || userAgent.length > MAX_USER_AGENT ? {} : { user_agent: userAgent }),
    ...(options.observedAt === undefined ? {} : { observed_at: options.observedAt }),
  };
}

// Each proxy appends whom it saw, so the list is believed from its right end, as far as proxies are trusted.
function visitorAddress(request: RequestLike, trustedProxies: number | readonly string[]): string | undefined {
  const isTrusted = trust(trustedProxies);
  const forwarded = header(request, "x-forwarded-for").split(",").toReversed();
  const hops = [request.socket.remoteAddress ?? "", ...forwarded].map((hop) => hop.trim());
  let last: Address | undefined;
  for (const [index, hop] of hops.entries()) {
    if (index > 0 && hop === "") break;
    last = parseAddress(stripPort(hop));
    if (last === undefined || !isTrusted(last, index)) break;
  }
  return last?.text;
}

function trust(proxies: number | readonly string[]): (address: Address, index: number) => boolean {
  if (typeof proxies === "number" && Number.isSafeInteger(proxies) && proxies >= 0)
    return (_, index) => index < proxies;
  // Also for JavaScript: whatever else were taken for a number could make a forged address be believed.
  if (!Array.isArray(proxies))
    throw new TypeError("trustedProxies must be a whole number of proxies, or a list of their addresses.");
  const ranges = new BlockList();
  for (const proxy of proxies) addRange(ranges, proxy);
  return ({ text, family }) => ranges.check(text, family === 4 ? "ipv4" : "ipv6");
}

function addRange(ranges: BlockList, proxy: string): void {
  const [network = "", bits] = proxy.split("/");
  const family = isIP(network);
  const longest = family === 4 ? 32 : 128;
  const length = bits === undefined ? longest : Number(bits);
  if (family === 0 || bits === "" || !Number.isInteger(length) || length < 0 || length > longest) {
    throw new TypeError(`trustedProxies: ${proxy} is neither an address nor a range such as 10.0.0.0/8.`);
  }
  ranges.addSubnet(network, length, family === 4 ? "ipv4" : "ipv6");
}

function header(request: RequestLike, name: string): string {
  const value = request.headers[name];
  return typeof value === "string" ? value : (value ?? []).join(",");
}
