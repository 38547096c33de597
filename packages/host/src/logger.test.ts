import { describe, expect, test } from "vitest";
import { createLogger, type Logger, type LogLevel } from "./logger.ts";

function capture(level: LogLevel = "info"): {
  logger: Logger;
  lines: () => Record<string, unknown>[];
  text: () => string;
} {
  const written: string[] = [];
  const destination = { write: (line: string) => void written.push(line) };
  return {
    logger: createLogger({ name: "ingress", level, destination }),
    lines: () => written.map((line) => JSON.parse(line)),
    text: () => written.join(""),
  };
}

const UNSEAL_KEY = "p2PA7MGy5tx56cnyJaFZMr96BCFwZeHjZV2EqMvTq53=";

function unsealError(): Error {
  const inner = Object.assign(new Error("Unsupported state"), {
    code: "ERR_OSSL",
    key: Buffer.from(UNSEAL_KEY, "base64"),
  });
  return Object.assign(new Error("could not unseal", { cause: inner }), {
    code: "no_key_opens",
    exceptions: [{ key: UNSEAL_KEY }],
    decryptionKeys: [UNSEAL_KEY],
  });
}

describe("createLogger", () => {
  test("writes the app, the level's name, an ISO time, the message and the fields", () => {
    const { logger, lines } = capture();
    logger.warn({ lane: "results" }, "slow");
    expect(lines()).toEqual([
      {
        level: "warn",
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        app: "ingress",
        lane: "results",
        msg: "slow",
      },
    ]);
  });

  test("writes nothing below its level", () => {
    const { logger, text } = capture("warn");
    logger.info("quiet");
    expect(text()).toBe("");
  });

  test.each([
    "sealed_result",
    "sealedResult",
    "payload",
    "event",
    "visitor_id",
    "visitorId",
    "ip",
    "ip_address",
    "user_agent",
    "user-agent",
    "authorization",
    "api_key",
    "apiKey",
    "signature",
    "secret",
    "key",
    "password",
    "token",
    "linked_id",
    "user_id",
  ])("redacts %s at any depth, and in a child's bindings", (name) => {
    const { logger, lines, text } = capture();
    logger.info({ [name]: "hunter2", outer: { list: [{ [name]: "hunter2" }] } }, "x");
    logger.child({ [name]: "hunter2" }).info("y");
    expect(text()).not.toContain("hunter2");
    expect(lines()[0]).toMatchObject({ [name]: "[redacted]", outer: { list: [{ [name]: "[redacted]" }] } });
    expect(lines()[1]).toMatchObject({ [name]: "[redacted]" });
  });

  test("shows of an error its name, code, message, stack and causes, and nothing else", () => {
    const { logger, lines } = capture();
    logger.error({ err: unsealError() }, "x");
    expect(lines()[0]?.["err"]).toEqual({
      name: "Error",
      code: "no_key_opens",
      message: "could not unseal",
      stack: expect.stringContaining("logger.test.ts"),
      cause: { name: "Error", code: "ERR_OSSL", message: "Unsupported state" },
    });
  });

  test.each([
    ["err", (logger: Logger) => logger.error({ err: unsealError() })],
    ["another field", (logger: Logger) => logger.error({ failure: unsealError() })],
    ["a nested field", (logger: Logger) => logger.error({ job: { failures: [unsealError()] } })],
    ["the error itself", (logger: Logger) => logger.error(unsealError())],
    ["a child's binding", (logger: Logger) => logger.child({ err: unsealError() }).error("x")],
  ])("does not print the keys that an error carries, given as %s", (_, log) => {
    const { logger, text } = capture();
    log(logger);
    expect(text()).toContain("could not unseal");
    expect(text()).not.toContain(UNSEAL_KEY);
    expect(text()).not.toContain("decryptionKeys");
  });

  test("leaves out what a failed JSON.parse quotes from its input", () => {
    const { logger, text } = capture();
    for (const input of ["visitor8vJ", `{"a": visitor8vJ ${"x".repeat(99)}`]) {
      try {
        JSON.parse(input);
      } catch (error) {
        logger.error(error);
        logger.error({ err: new Error(`bad body: ${String(error)}`) });
      }
    }
    expect(text()).not.toContain("8vJ");
    expect(text()).toContain("the text is not valid JSON");
  });

  test("counts bytes instead of printing them", () => {
    const { logger, lines } = capture();
    logger.info({ blob: Buffer.from("secret blob") }, "x");
    expect(lines()[0]).toMatchObject({ blob: "[11 bytes]" });
  });

  test("names an object of a class instead of walking it", () => {
    const { logger, lines } = capture();
    logger.info({ place: new URL("redis://user:hunter2@host") }, "x");
    expect(lines()[0]).toMatchObject({ place: "[URL]" });
  });

  test("survives a value that holds itself and a chain of causes that never ends", () => {
    const loop: Record<string, unknown> = {};
    loop["self"] = loop;
    const error = new Error("round");
    error.cause = error;
    const { logger, lines } = capture();
    logger.error({ loop, err: error }, "x");
    expect(lines()).toHaveLength(1);
  });
});
