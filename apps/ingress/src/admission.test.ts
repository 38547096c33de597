import { describe, expect, test } from "vitest";
import { createAdmission, type Gate, nextGate } from "./admission.ts";

describe("nextGate", () => {
  test.each<[Gate, number | undefined, Gate]>([
    ["open", 0.6999, "open"],
    ["open", 0.7, "clients_only"],
    ["open", 1.2, "clients_only"],
    ["clients_only", 0.7, "closed"],
    ["clients_only", 0.69, "clients_only"],
    ["clients_only", 0.65, "clients_only"],
    ["clients_only", 0.6499, "open"],
    ["closed", 0.9, "closed"],
    ["closed", 0.65, "closed"],
    ["closed", 0.64, "open"],
    ["closed", undefined, "open"],
  ])("%s at %s becomes %s", (gate, ratio, next) => {
    expect(nextGate(gate, ratio)).toBe(next);
  });
});

describe("createAdmission", () => {
  test("lets everything in before it knows", () => {
    const admission = createAdmission({ readRatio: () => Promise.resolve(1), onGate: () => undefined });
    expect(admission.admits("background")).toBe(true);
  });

  test("sheds the background first, clients at the next reading, and nobody once there is room", async () => {
    const ratios = [0.7, 0.7, 0.6];
    const seen: unknown[] = [];
    await new Promise<void>((resolve) => {
      const admission = createAdmission({
        intervalMs: 1,
        readRatio() {
          seen.push([admission.admits("background"), admission.admits("results"), admission.admits("lookups")]);
          if (ratios.length === 0) resolve(admission.stop());
          return Promise.resolve(ratios.shift());
        },
        onGate: () => undefined,
      });
      admission.start();
    });
    expect(seen).toEqual([
      [true, true, true],
      [false, true, true],
      [false, false, false],
      [true, true, true],
    ]);
  });

  test("keeps its gate while Redis does not answer", async () => {
    const answers = [() => Promise.resolve(0.8), () => Promise.reject(new Error("away"))];
    const gates: Gate[] = [];
    const admission = await new Promise<ReturnType<typeof createAdmission>>((resolve) => {
      const watched = createAdmission({
        intervalMs: 1,
        readRatio() {
          const answer = answers.shift();
          if (answer !== undefined) return answer();
          resolve(watched);
          return Promise.reject(new Error("away"));
        },
        onGate: (gate) => gates.push(gate),
      });
      watched.start();
    });
    expect(gates).toEqual(["clients_only"]);
    expect(admission.admits("background")).toBe(false);
    await admission.stop();
  });
});
