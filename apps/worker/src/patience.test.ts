import { describe, expect, test } from "vitest";
import { createPatience, LetGo } from "./patience.ts";

/** A script that fails with these errors, one after the other, and then answers. */
function failing(...errors: Error[]) {
  let runs = 0;
  const run = () => {
    const error = errors[runs++];
    return error === undefined ? Promise.resolve("answer") : Promise.reject(error);
  };
  return { run, runs: () => runs };
}

function aPatience() {
  const hiccups: string[] = [];
  const delays: number[] = [];
  const patience = createPatience({
    onHiccup: (error) => hiccups.push(error.message),
    delay: (ms) => {
      delays.push(ms);
      return Promise.resolve();
    },
  });
  return { patience, hiccups, delays };
}

function aReply(message: string): Error {
  return Object.assign(new Error(message), { name: "ReplyError" });
}

const forever = new AbortController().signal;

describe("createPatience", () => {
  test.each([
    aReply("OOM command not allowed when used memory > 'maxmemory'."),
    aReply("READONLY You can't write against a read only replica."),
    aReply("LOADING Redis is loading the dataset in memory"),
    new Error("Command timed out"),
    new Error("Connection is closed."),
    new Error("connect ECONNREFUSED 127.0.0.1:6379"),
  ])("repeats a script after $message", async (error) => {
    const { patience, hiccups } = aPatience();
    const script = failing(error, error);
    expect(await patience(script.run, forever)).toBe("answer");
    expect(script.runs()).toBe(3);
    expect(hiccups).toHaveLength(2);
  });

  test("waits longer each time, at most a second", async () => {
    const { patience, delays } = aPatience();
    await patience(failing(...Array.from({ length: 7 }, () => new Error("Command timed out"))).run, forever);
    expect(delays).toEqual([50, 100, 200, 400, 800, 1000, 1000]);
  });

  test("does not repeat a script that is wrong", async () => {
    const { patience } = aPatience();
    const script = failing(aReply("WRONGTYPE Operation against a key holding the wrong kind of value"));
    await expect(patience(script.run, forever)).rejects.toThrow("WRONGTYPE");
    expect(script.runs()).toBe(1);
  });

  test("lets go when the job must end", async () => {
    const ended = new AbortController();
    const patience = createPatience({ onHiccup: () => ended.abort(), delay: () => Promise.resolve() });
    await expect(patience(failing(new Error("Command timed out")).run, ended.signal)).rejects.toThrow(LetGo);
  });
});
