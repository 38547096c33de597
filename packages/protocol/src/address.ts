import { isIP } from "node:net";

/** An address in one spelling, so that two may be compared. */
export interface Address {
  readonly family: 4 | 6;
  /** Canonical text: v4 dotted, v6 as eight unpadded groups; a v6 address that only carries a v4 one is the v4 one. */
  readonly text: string;
  /** What two addresses of a household share: the whole v4 address, or the first 64 bits of a v6 one. */
  readonly network: string;
  /** Whether it is private, loopback, link-local or of a tunnel that many share: it says nothing about the visitor. */
  readonly isPrivate: boolean;
}

/** Reads one address without a port. Undefined when it is none. */
export function parseAddress(text: string): Address | undefined {
  const zoneAt = text.indexOf("%");
  const bare = zoneAt === -1 ? text : text.slice(0, zoneAt);
  switch (isIP(bare)) {
    case 4:
      // Only v6 has zones.
      return zoneAt === -1 ? v4(bare) : undefined;
    case 6: {
      const groups = v6Groups(bare);
      const carried = v4Carried(groups);
      if (carried !== undefined) return v4(carried);
      const network = groups.slice(0, 4).map(hex).join(":");
      return { family: 6, text: groups.map(hex).join(":"), network: `${network}::/64`, isPrivate: isPrivateV6(groups) };
    }
    default:
      return undefined;
  }
}

/** Strips a port (`1.2.3.4:80`, `[::1]:80`) and brackets; other text comes back as it was. */
export function stripPort(text: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text);
  if (bracketed?.[1] !== undefined) return bracketed[1];
  const withPort = /^([0-9.]+):\d+$/.exec(text);
  return withPort?.[1] ?? text;
}

function v4(text: string): Address {
  return { family: 4, text, network: text, isPrivate: isPrivateV4(text) };
}

function isPrivateV4(text: string): boolean {
  const first = text.indexOf(".");
  const a = Number(text.slice(0, first));
  const b = Number(text.slice(first + 1, text.indexOf(".", first + 1)));
  return (
    a === 10 ||
    a === 127 ||
    a === 0 ||
    (a === 172 && b >= 16 && b <= 31) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254) ||
    (a === 100 && b >= 64 && b <= 127)
  );
}

function isPrivateV6(groups: readonly number[]): boolean {
  const [first = 0, second = 0, third = 0] = groups;
  const loopbackOrAny = groups.slice(0, 7).every((group) => group === 0) && (groups[7] ?? 0) <= 1;
  // Their first 64 bits are a translator's of somebody's own network (RFC 8215), or a server's (Teredo).
  const isShared = (first === 0x64 && second === 0xff9b && third === 1) || (first === 0x2001 && second === 0);
  return loopbackOrAny || isShared || (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80;
}

/** The v4 address inside a v4-mapped one (`::ffff:1.2.3.4`), or one that a NAT64 made (`64:ff9b::1.2.3.4`). */
function v4Carried(groups: readonly number[]): string | undefined {
  const head = groups.slice(0, 6).map(hex).join(":");
  if (head !== "0:0:0:0:0:ffff" && head !== "64:ff9b:0:0:0:0") return undefined;
  const [high = 0, low = 0] = groups.slice(6);
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

// Only called on what `isIP` accepted.
function v6Groups(text: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const plain =
    dotted === null ? text : `${dotted[1]}${hex(pair(dotted[2], dotted[3]))}:${hex(pair(dotted[4], dotted[5]))}`;
  const [head = "", tail] = plain.split("::");
  const parse = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const left = parse(head);
  if (tail === undefined) return left;
  const right = parse(tail);
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

function pair(high: string | undefined, low: string | undefined): number {
  return Number(high) * 256 + Number(low);
}

function hex(group: number): string {
  return group.toString(16);
}
