import { type SealedKey, unseal } from "@assay/fingerprint";
import { type InputLetter, readInputLetters } from "@assay/ledger";
import { showAgo, showSome } from "./amounts.ts";
import type { Finding } from "./finding.ts";
import type { Patient, TenantPatient } from "./patient.ts";

const DAY_MS = 86_400_000;
const LETTERS_READ = 50;
const LETTERS_TRIED = 10;
const COPY =
  "copy the active key from the Fingerprint dashboard (API Keys, Sealed Client Results) to the front of ASSAY_SEALED_KEYS, and start the workers again";

/** Whether the configured keys open what comes sealed. */
export async function checkSeals(patient: TenantPatient, { redis, now }: Patient): Promise<Finding> {
  const { tenant, keys, sightings } = patient;
  const opened = openedBy(patient);
  const isSealedSeen = sightings.seen.kind.some(({ name }) => name === "sealed");
  if (tenant.sealedKeys === undefined) return withoutKeys(opened, isSealedSeen, now);
  const ids = tenant.sealedKeys.map(({ id }) => id);
  const letters = (await readInputLetters(redis, keys, LETTERS_READ)).filter(({ code }) => code === "no_key_opens");
  const shut = judgeLetters(letters.slice(0, LETTERS_TRIED), tenant.sealedKeys, opened, now);
  if (shut !== undefined) return shut;
  const strange = [...opened].filter(([id, at]) => !ids.includes(id) && now - at < DAY_MS);
  if (strange.length > 0) {
    return {
      name: "seals",
      status: "warn",
      says: `Workers opened seals by ${showSome(strange.map(([id, at]) => `key ${id} (${showAgo(at, now)})`))}, which this environment does not have`,
      do: "give every worker, and this command, the same ASSAY_SEALED_KEYS",
    };
  }
  const says = ids.map((id) => `key ${id} ${lastOpened(opened.get(id), now)}`).join(", ");
  const note = isSealedSeen || opened.size > 0 ? "" : "; no sealed result has come yet";
  return { name: "seals", status: "ok", says: `${says}${note}` };
}

/** When each key opened a seal last, by its id. */
function openedBy({ sightings }: TenantPatient): Map<string, number> {
  const entries = sightings.seen.seal.filter(({ name }) => name.startsWith("ok/"));
  return new Map(entries.map(({ name, lastAt }) => [name.slice("ok/".length), lastAt]));
}

function lastOpened(at: number | undefined, now: number): string {
  return at === undefined ? "has opened none so far" : `opened one ${showAgo(at, now)}`;
}

function withoutKeys(opened: ReadonlyMap<string, number>, isSealedSeen: boolean, now: number): Finding {
  const name = "seals";
  const last = Math.max(0, ...opened.values());
  if (now - last < DAY_MS) {
    const says = `ASSAY_SEALED_KEYS is not set here, while workers opened a seal ${showAgo(last, now)}`;
    return { name, status: "skip", says, do: "run this command with the environment of the workers" };
  }
  if (!isSealedSeen) return { name, status: "skip", says: "ASSAY_SEALED_KEYS is not set, and nothing sealed has come" };
  return { name, status: "fail", says: "Sealed results come, and ASSAY_SEALED_KEYS is not set", do: COPY };
}

/** Tries what nobody could open with the keys of here. Forged seals open with none, and are no reason to worry. */
function judgeLetters(
  letters: readonly InputLetter[],
  keys: readonly SealedKey[],
  opened: ReadonlyMap<string, number>,
  now: number,
): Finding | undefined {
  const [latest] = letters;
  if (latest === undefined || now - latest.at > DAY_MS) return undefined;
  const name = "seals";
  const opening = letters.filter(({ payload }) => opens(payload, keys)).length;
  const seen = `The last sealed result that no key opened came ${showAgo(latest.at, now)}`;
  if (opening > 0) {
    return {
      name,
      status: "warn",
      says: `${seen}. ${opening} of the last ${letters.length} open with the keys of here, so the workers ran with others`,
      do: "start the workers again with these ASSAY_SEALED_KEYS, then run assay dead redrive --kind input --code no_key_opens",
    };
  }
  const lastOpen = Math.max(0, ...opened.values());
  const says = `${seen}. None of the last ${letters.length} opens with the keys of here (${keys.map(({ id }) => id).join(", ")})`;
  if (lastOpen < latest.at) return { name, status: "fail", says, do: COPY };
  const note = `, while a key opened one ${showAgo(lastOpen, now)}: they are forged, or sealed by another key`;
  return { name, status: "warn", says: says + note, do: `where Fingerprint has another key, ${COPY}` };
}

function opens(payload: Uint8Array, keys: readonly SealedKey[]): boolean {
  try {
    unseal(payload, keys);
    return true;
  } catch {
    return false;
  }
}
