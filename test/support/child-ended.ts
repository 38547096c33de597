import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** Whether a child process has ended, however it did. */
export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Resolves when a child process has ended; at once where it has. */
export async function untilEnded(child: ChildProcess): Promise<void> {
  if (!hasEnded(child)) await once(child, "exit");
}
