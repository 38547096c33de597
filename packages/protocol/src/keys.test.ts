import { describe, expect, test } from "vitest";
import { createKeys, decidedChannel, leaderKey, metaKey, queuePrefix, secretFingerprint } from "./keys.ts";
import { SHARD_COUNT } from "./shard.ts";

const ID = "s_mzzpllie4mehvy3njrfqhb6c5r";

describe("createKeys", () => {
  const keys = createKeys();

  test.each([
    ["record", keys.record(ID), `assay:{fs1o1}:0:a:${ID}`],
    ["pending", keys.pending("lookups"), "assay:{fs1o1}:0:pending:lookups"],
    ["verdict", keys.verdict(ID), `assay:{fs1o1}:0:v:${ID}`],
    ["claim", keys.claim("e1", "login"), "assay:{fs1o1}:0:c:e1:login"],
    ["storedEvent", keys.storedEvent("e1"), "assay:{fs1o1}:0:ev:e1"],
    ["eventVerdicts", keys.eventVerdicts("e1"), "assay:{fs1o1}:0:e:e1"],
    ["deadLetters", keys.deadLetters("input"), "assay:{fs1o1}:0:dead:input"],
    ["deadLetterTally", keys.deadLetterTally("delivery"), "assay:{fs1o1}:0:dead:delivery:tally"],
    ["counter", keys.counter("h1"), "assay:{fs1o1}:0:n:h1"],
    ["counterSince", keys.counterSince("d1"), "assay:{fs1o1}:0:nd:d1"],
    ["reference", keys.reference("h1"), "assay:{fs1o1}:0:r:h1"],
    ["outcome", keys.outcome("o_1"), "assay:{fs1o1}:0:o:o_1"],
    ["lookupBucket", keys.lookupBucket("ba7816bf"), "assay:{fs1o1}:0:lb:ba7816bf"],
    ["sightings", keys.sightings(), "assay:{fs1o1}:0:seen"],
    ["verdicts", keys.verdicts(), "assay:{fs1o1}:0:verdicts"],
    ["gap lease", keys.gapLease("crm"), "assay:{fs1o1}:0:vl:crm"],
    ["gaps", keys.gaps("crm"), "assay:{fs1o1}:0:vg:crm"],
    ["gone entries", keys.goneEntries("crm"), "assay:{fs1o1}:0:vo:crm"],
    ["group archive", keys.groupArchive("crm"), "assay:{fs1o1}:0:va:crm"],
    ["endpoints", keys.endpoints(), "assay:{fs1o1}:0:endpoints"],
    ["replays", keys.replays(), "assay:{fs1o1}:0:wr"],
    ["replay lease", keys.replayLease("orders"), "assay:{fs1o1}:0:wl:orders"],
    ["delivery", keys.delivery("wh_1"), "assay:{fs1o1}:0:wh:wh_1"],
    ["endpoint", keys.endpoint("orders"), "assay:{fs1o1}:0:we:orders"],
    ["undelivered", keys.undelivered("orders"), "assay:{fs1o1}:0:wa:orders"],
    ["deliveriesDue", keys.deliveriesDue("orders"), "assay:{fs1o1}:0:wd:orders"],
    ["deliveriesInFlight", keys.deliveriesInFlight("orders"), "assay:{fs1o1}:0:wf:orders"],
  ])("%s is literally what is documented", (_, key, expected) => {
    expect(key).toBe(expected);
  });

  test("puts prefix and tenant where they belong", () => {
    expect(createKeys({ prefix: "test-1", tenant: "acme" }).record(ID)).toBe(`test-1:{fs1o1}:acme:a:${ID}`);
  });

  test("keeps all keys of the one shard in one slot", () => {
    expect(SHARD_COUNT).toBe(1);
    const tags = [keys.record(ID), keys.claim("e", "-"), keys.verdicts(), queuePrefix(), decidedChannel(), leaderKey()];
    expect(new Set(tags.map((key) => /\{.*?\}/.exec(key)?.[0]))).toEqual(new Set(["{fs1o1}"]));
  });
});

describe("queuePrefix", () => {
  test("is literally what is documented", () => {
    expect(queuePrefix()).toBe("assay:{fs1o1}:q");
  });
});

describe("decidedChannel", () => {
  test("is literally what is documented", () => {
    expect(decidedChannel()).toBe("assay:{fs1o1}:decided");
  });
});

describe("metaKey", () => {
  test("belongs to no shard", () => {
    expect([metaKey(), metaKey("x")]).toEqual(["assay:meta", "x:meta"]);
  });
});

describe("secretFingerprint", () => {
  test("is the first 8 hex characters of SHA-256, of text and of bytes alike", () => {
    expect([secretFingerprint("abc"), secretFingerprint(Buffer.from("abc"))]).toEqual(["ba7816bf", "ba7816bf"]);
  });
});
