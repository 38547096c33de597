import { BlockList, isIP } from "node:net";
import { parseAddress } from "@assay/protocol";

/** Says where webhooks may go. */
export interface AddressGuard {
  /** What is wrong with an address that a connection is about to be made to; undefined when it may be. */
  faultOf(
    address: string,
    endpoint: { readonly allowPrivate: boolean; readonly isEncrypted: boolean },
  ): string | undefined;
}

/** No business of any webhook, private or not: this host, the link, a cloud's metadata, everybody. */
const NEVER = blocks([
  "0.0.0.0/8",
  "169.254.0.0/16",
  "100.100.100.200/32",
  "192.0.0.192/32",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "::/128",
  "fd00:ec2::254/128",
  "fe80::/10",
  "ff00::/8",
]);

/** Not of the public Internet, and nobody's private network either; among them tunnels that carry any v4 address. */
const RESERVED = blocks([
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "::/96",
  "::ffff:0:0:0/96",
  "100::/64",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "3fff::/20",
  "5f00::/16",
  "fec0::/10",
]);

/** `allowed` are blocks such as `10.20.0.0/16` to which any endpoint may be sent, also without TLS. */
export function createAddressGuard(allowed: readonly string[]): AddressGuard {
  const allow = blocks(allowed);
  return {
    faultOf(text, { allowPrivate, isEncrypted }) {
      const address = parseAddress(text);
      if (address === undefined) return "is no address";
      const isIn = (list: BlockList) => list.check(address.text, address.family === 4 ? "ipv4" : "ipv6");
      if (isIn(allow)) return undefined;
      if (isIn(NEVER)) return "is not one that webhooks go to";
      if (address.isPrivate) return allowPrivate ? undefined : "is private";
      if (isIn(RESERVED)) return "is not one of the public Internet";
      return isEncrypted ? undefined : "is public, and the URL is not https";
    },
  };
}

/** Whether a text is a block of addresses, such as `10.20.0.0/16` or `fd00::/8`. */
export function isAddressBlock(text: string): boolean {
  const [address = "", length, ...rest] = text.split("/");
  const bits = isIP(address) === 4 ? 32 : 128;
  return rest.length === 0 && isIP(address) !== 0 && /^\d{1,3}$/.test(length ?? "") && Number(length) <= bits;
}

function blocks(texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) {
    const [address = "", length = ""] = text.split("/");
    list.addSubnet(address, Number(length), isIP(address) === 4 ? "ipv4" : "ipv6");
  }
  return list;
}
