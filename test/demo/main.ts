import { setTimeout } from "node:timers/promises";
import type { Verdict } from "@assay/protocol";
import { startInstallation } from "./installation.ts";
import { eventually } from "../support/eventually.ts";
import { countArchived, createPlayer, faultOf } from "./play.ts";
import { type Scene, SCENES, type Step } from "./scenes.ts";

const isOnce = process.argv.includes("--once");
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupted.abort());

say("Starting a private Redis, an archive, an ingress, two workers and a stand-in for Fingerprint's API …");
const installation = await startInstallation({
  workerDied: (pid) => say(`worker ${pid} is gone; another takes its place`),
});
const player = createPlayer(installation.doors);
let faults = 0;
let shown = 0;

introduce();
await (isOnce ? playOnce() : playUntilInterrupted());
await player.stop();
await installation.stop();
if (isOnce) say(faults === 0 ? "Every verdict is what it must be." : `${faults} verdicts are not what they must be.`);
process.exit(faults === 0 ? 0 : 1);

async function playOnce(): Promise<void> {
  await Promise.all(SCENES.map((scene) => playScene(scene)));
  const archived = await eventually(async () => {
    const count = await countArchived(installation.doors);
    return count >= shown && count;
  }).catch(() => 0);
  say(
    archived === shown ? `The archive has all ${shown} of them.` : `✗ the archive does not have all ${shown} of them`,
  );
  if (archived !== shown) faults++;
}

/** About three scenes a second, for as long as somebody watches. */
async function playUntilInterrupted(): Promise<void> {
  const playing = new Set<Promise<void>>();
  for (let number = 0; !interrupted.signal.aborted; number++) {
    const scene = SCENES[number % SCENES.length];
    if (scene === undefined) break;
    const played = playScene(scene).finally(() => playing.delete(played));
    playing.add(played);
    await setTimeout(350, undefined, { signal: interrupted.signal }).catch(() => undefined);
  }
  say("Stopping; what is under way still gets its verdict …");
  await Promise.all(playing);
}

async function playScene(scene: Scene): Promise<void> {
  for (const step of scene(installation.sealedKey)) {
    const from = performance.now();
    try {
      show(step, await player.play(step), performance.now() - from);
    } catch (error) {
      // The door said no, for example because Redis was stopped: that is shown too.
      faults++;
      say(`${step.door.padEnd(13)} ${step.who}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function show(step: Step, verdict: Verdict | undefined, tookMs: number): void {
  shown++;
  const fault = faultOf(step, verdict);
  if (fault !== undefined) faults++;
  const why = verdict?.undecided?.code ?? verdict?.reasons.map(({ rule }) => rule).join(", ") ?? "";
  const columns = [
    step.door.padEnd(13),
    (verdict?.action ?? "-").padEnd(9),
    String(verdict?.score ?? "").padStart(4),
    `${Math.round(tookMs)} ms`.padStart(8),
    `  ${step.who}${why === "" ? "" : ` (${why})`}`,
    fault === undefined ? "" : `  ✗ ${fault}`,
  ];
  say(columns.join(" "));
}

function introduce(): void {
  const { doors, redisUrl, databaseUrl, adminPort } = installation;
  say(`
The ingress answers at ${doors.url}, its metrics at http://127.0.0.1:${adminPort}/metrics.
Workers: ${installation.workerPids().join(", ")} — kill -9 one, and nothing is lost. Redis: ${redisUrl}
The archive is a Postgres inside this process: ${databaseUrl}

Hand something in yourself:
  curl -sS ${doors.url}/v1/submissions?wait=2 \\
    -H 'Authorization: Bearer ${doors.key}' -H 'Idempotency-Key: try-1' -H 'Content-Type: application/json' \\
    -d '{"event_id": "1708102555327.NLOjmg", "context": {"flow": "login"}}'

Ask for what was decided:
  ASSAY_URL=${doors.url} ASSAY_KEY=${doors.key} npx assay verdicts list --action block
  DATABASE_URL=${databaseUrl} npx assay verdicts replay --since 1h

door          action    score    took   who, and why
`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
