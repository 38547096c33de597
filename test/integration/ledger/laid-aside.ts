import {
  acceptSubmissions,
  createArchiveStream,
  type DeadLetter,
  layAsideVerdict,
  planDeliveries,
  publishVerdicts,
  settleDelivery,
  takeDeliveries,
  walkLetters,
} from "@assay/ledger";
import { envelopeOf, laneOf, type LetterKind, type Submission } from "@assay/protocol";
import { accepted, anArrival, anId, aPublication, aVerdict, keeping } from "./builders.ts";
import type { Ledger } from "./open-ledger.ts";

/** Every dead letter of a kind, oldest first. */
export async function lettersOf({ redis, keys }: Ledger, kind: LetterKind): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for await (const letter of walkLetters(redis, keys, kind)) letters.push(letter);
  return letters;
}

/** The newest of a kind. */
async function newest(ledger: Ledger, kind: LetterKind): Promise<DeadLetter> {
  const letter = (await lettersOf(ledger, kind)).at(-1);
  if (letter === undefined) throw new Error(`There is no letter of the kind ${kind}.`);
  return letter;
}

/** Makes a submission a dead letter of what could not be opened. */
export async function anInputLetter(
  ledger: Ledger,
  over: Partial<Submission> = {},
  code = "no_key_opens",
  id: string = anId(),
): Promise<DeadLetter> {
  await acceptSubmissions(ledger.redis, ledger.keys, [anArrival(over, id)]);
  const kind = over.kind ?? "sealed";
  const publication = aPublication(id, { deadLetter: true, lane: laneOf(kind) }, { kind, undecided: { code } });
  await publishVerdicts(ledger.redis, ledger.keys, [publication], keeping(ledger));
  return await newest(ledger, "input");
}

/** Publishes a verdict that Postgres refuses. */
export async function aPipelineLetter(ledger: Ledger): Promise<DeadLetter> {
  const { redis, keys } = ledger;
  const publication = aPublication(await accepted(ledger), { event: '{"event_id":"e1"}' });
  await publishVerdicts(redis, keys, [publication], keeping(ledger, { archive: true }));
  const archive = createArchiveStream({ redis, reader: redis, keys, consumer: "archiver1" });
  const entries = await archive.read({ count: 1, blockMs: 1, takeoverAfterMs: 60_000 });
  await archive.settle(
    entries,
    entries.map(({ entryId }) => ({ entryId, code: "22P05" })),
  );
  return await newest(ledger, "pipeline");
}

/** Gives up a verdict that a group's consumers failed on. */
export async function aGroupLetter(ledger: Ledger, group = "crm"): Promise<DeadLetter> {
  const id = anId();
  const envelope = JSON.stringify(envelopeOf(aVerdict(id)));
  const about = { group, entryId: "1-1", id, code: "deliveries_exhausted", deliveries: 10, at: 1, envelope };
  await layAsideVerdict(ledger.redis, ledger.keys, about);
  return await newest(ledger, "delivery");
}

/** Gives up a delivery that an endpoint never took. */
export async function anEndpointLetter(ledger: Ledger, endpoint = "orders"): Promise<DeadLetter> {
  const { redis, keys } = ledger;
  const id = anId();
  await planDeliveries(redis, keys, [{ id: `wh_${id}`, endpoint, body: JSON.stringify(envelopeOf(aVerdict(id))) }]);
  const request = { endpoint, count: 1, maxInFlight: 4, leaseMs: 60_000, resumedAt: 0 };
  const [delivery] = (await takeDeliveries(redis, keys, request)).deliveries;
  if (delivery === undefined) throw new Error("Nothing is due.");
  await settleDelivery(redis, keys, endpoint, delivery, { outcome: "dead", reason: "timeout", at: 1 }, 1e9);
  return await newest(ledger, "delivery");
}
