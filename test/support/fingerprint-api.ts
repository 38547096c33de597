import { type Call, type StandInApi, type StandInOptions, startStandInApi } from "@assay/fingerprint/stand-in";

/** A stand-in for the vendor's Server API on loopback, with a log of what it was asked. */
export interface FingerprintApi extends StandInApi {
  /** Every request, in order. */
  readonly calls: readonly Call[];
  /** Event ids asked for, in order. */
  readonly asked: readonly string[];
  /** Answers of the next requests for this id, before the store is asked. */
  script(eventId: string, ...answers: readonly { readonly status: number; readonly body?: unknown }[]): void;
}

export async function startFingerprintApi(options: StandInOptions = {}): Promise<FingerprintApi> {
  const calls: Call[] = [];
  const asked: string[] = [];
  const api = await startStandInApi({
    ...options,
    onCall(call) {
      calls.push(call);
      asked.push(call.eventId);
      options.onCall?.(call);
    },
  });
  return {
    ...api,
    calls,
    asked,
    script(eventId, ...answers) {
      for (const { status, body = {} } of answers) api.misbehave({ kind: "answer", status, body }, { eventId });
    },
  };
}

/** An error body as the vendor writes it. */
export function error(code: string, message: string): unknown {
  return { error: { code, message } };
}
