import type { SealedKey } from "./sealed-key.ts";
import { unseal, type Unsealed } from "./unseal.ts";

/** Opens sealed results with the keys of one tenant. */
export interface Unsealer {
  /** Throws UnsealError. */
  unseal(bytes: Uint8Array): Unsealed;
}

/**
 * An unsealer that tries the key first that opened last: during a rotation each result costs one decryption, not two.
 * No keys open nothing.
 */
export function createUnsealer(keys: readonly SealedKey[]): Unsealer {
  let order = keys;
  return {
    unseal(bytes) {
      const unsealed = unseal(bytes, order);
      const isOpener = (key: SealedKey) => key.id === unsealed.keyId;
      if (order[0] !== undefined && !isOpener(order[0])) {
        order = [...order.filter(isOpener), ...order.filter((key) => !isOpener(key))];
      }
      return unsealed;
    },
  };
}
