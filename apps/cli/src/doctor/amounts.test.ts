import { describe, expect, test } from "vitest";
import { redisBytes, showBytes, showRate, showShare, showSome, showTime } from "./amounts.ts";

const MIB = 1024 * 1024;

describe("amounts", () => {
  test.each<[string, string]>([
    [showBytes(0), "0 KiB"],
    [showBytes(1.5 * MIB), "1.5 MiB"],
    [showBytes(1.1 * 1024 * MIB), "1.1 GiB"],
    [showBytes(500 * MIB), "500 MiB"],
    [redisBytes(100 * MIB), "128mb"],
    [redisBytes(128 * MIB), "128mb"],
    [showTime(0.4), "0 ms"],
    [showTime(999), "999 ms"],
    [showTime(-3000), "3 s"],
    [showTime(119_000), "119 s"],
    [showTime(300_000), "5 min"],
    [showTime(7_200_000), "2 h"],
    [showTime(3 * 86_400_000), "3 d"],
    [showRate(12.3), "12/s"],
    [showRate(0.31), "0.3/s"],
    [showRate(0.05), "3/min"],
    [showShare(0), "0 %"],
    [showShare(0.001), "< 1 %"],
    [showShare(0.126), "13 %"],
    [showSome(["a", "b", "c"], 2), "a, b and 1 more"],
    [showSome(["a", "b"], 2), "a, b"],
  ])("are written %s", (shown, expected) => {
    expect(shown).toBe(expected);
  });
});
