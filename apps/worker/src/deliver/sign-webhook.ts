import { Webhook } from "standardwebhooks";

/** Headers of Standard Webhooks that sign one try of a delivery. */
export type SignWebhook = (id: string, at: Date, body: string) => Readonly<Record<string, string>>;

/** Signs with each of the secrets, newest first, so that a receiver may know any of them while they rotate. */
export function createSignature(secrets: readonly string[]): SignWebhook {
  const webhooks = secrets.map((secret) => new Webhook(secret));
  return (id, at, body) => ({
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": webhooks.map((webhook) => webhook.sign(id, at, body)).join(" "),
  });
}
