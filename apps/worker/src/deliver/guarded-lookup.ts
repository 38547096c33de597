import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import { callbackify } from "node:util";

/** Finds all addresses of a host name. */
export type Resolve = (name: string) => Promise<readonly LookupAddress[]>;

/** As the operating system resolves names. */
export const resolveBySystem: Resolve = (name) => lookup(name, { all: true, verbatim: true });

/** An address that webhooks may not go to. The text says nothing of where it leads: a receiver's tenant may read it. */
export class RefusedAddressError extends Error {
  override readonly name = "RefusedAddressError";
  readonly code = "refused_address";

  constructor(why: string) {
    super(
      `The endpoint's address ${why}. Set allow_private for it, or name its block in ASSAY_ENDPOINTS_ALLOW, if that is meant.`,
    );
  }
}

/**
 * Stands in for the look-up that a connection makes: the very addresses that were judged are the ones connected to, so
 * that a name which answers otherwise a moment later gains nothing. One bad address refuses the name.
 */
export function guardLookup(resolve: Resolve, faultOf: (address: string) => string | undefined): LookupFunction {
  const judge = callbackify(async (name: string) => {
    const addresses = await resolve(name);
    const fault = addresses.map(({ address }) => faultOf(address)).find((one) => one !== undefined);
    if (fault !== undefined) throw new RefusedAddressError(fault);
    const [first] = addresses;
    if (first === undefined) throw Object.assign(new Error("The name has no address."), { code: "ENOTFOUND" });
    return { all: [...addresses], first };
  });
  return (name, options, done) => {
    judge(name, (error, judged) => {
      if (error !== null) done(error, []);
      else if (options.all === true) done(null, judged.all);
      else done(null, judged.first.address, judged.first.family);
    });
  };
}
