import { describe, expect, test } from "vitest";
import { inputOf } from "../../test/build.ts";
import { outcome, read } from "../../test/condition.ts";

describe("a window key", () => {
  test.each([
    "// it's more than 3\nvelocity.distinct_ip.5_minutes > 3 && linked_id != 'x'",
    '// say "more\nvelocity.distinct_ip.5_minutes > 3 && linked_id != "x"',
    "linked_id != '''it's''' && velocity.distinct_ip.5_minutes > 3 && url != 'b'",
    'linked_id != """say "it" """ && velocity.distinct_ip.5_minutes > 3 && url != "b"',
    String.raw`linked_id != r"\d" && velocity.distinct_ip.5_minutes > 3 && url != "b"`,
  ])("is read beside texts and comments of any kind: %s", (text) => {
    const input = inputOf({ velocity: { distinct_ip: { "5_minutes": 4 } }, linked_id: "a", url: "a" });
    expect(outcome(text, input).value).toBe(true);
  });

  test.each(["// it's\nlinked_id == 'v.5g'", "linked_id == '''it's v.5g'''", "linked_id == 'v.5g' // that's all"])(
    "is none in a text: %s",
    (text) => {
      const { expression } = read(text);
      expect(JSON.stringify(expression)).toContain("v.5g");
    },
  );
});
