import { GenericContainer, getContainerRuntimeClient } from "testcontainers";
import { freePort, type PrivateRedis, type UntilReady } from "./private-redis.ts";

const IMAGE = "redis:7.4-alpine";
const REDIS_PORT = 6379;

/** Starts Redis in Docker. Testcontainers' reaper removes it when the run dies. */
export async function startRedisContainer(args: readonly string[], untilReady: UntilReady): Promise<PrivateRedis> {
  // A fixed host port, because a random one changes when the container starts again.
  const port = await freePort();
  const container = await new GenericContainer(IMAGE)
    .withCommand(["redis-server", ...args])
    .withExposedPorts({ container: REDIS_PORT, host: port })
    .start();
  const runtime = await getContainerRuntimeClient();
  const docker = runtime.container.getById(container.getId());
  const url = `redis://${container.getHost()}:${port}`;
  const isRunning = async () => (await docker.inspect()).State.Running;
  const ready = () => untilReady(url, new AbortController().signal);
  await ready();
  let stopping: Promise<unknown> | undefined;
  return {
    url,
    port,
    pid: undefined,
    dir: undefined,
    async kill(signal) {
      if (!(await isRunning())) return;
      const isPause = signal === "SIGSTOP" || signal === "SIGCONT";
      const ended = isPause ? undefined : docker.wait();
      await docker.kill({ signal });
      await ended;
    },
    async restart() {
      if (await isRunning()) {
        const ended = docker.wait();
        await docker.kill({ signal: "SIGKILL" });
        await ended;
      }
      await docker.start();
      await ready();
    },
    async stop() {
      stopping ??= container.stop({ timeout: 0, remove: true, removeVolumes: true });
      await stopping;
    },
  };
}
