import type { Server } from "node:http";
import type { Socket } from "node:net";

/**
 * Watches a server's connections. What it returns ends those that have sent nothing yet, and takes no more: callers open them ahead of
 * need, and Node's server, when it closes, would wait for their first request.
 */
export function watchUnusedConnections(server: Server): () => void {
  const open = new Set<Socket>();
  let isEnding = false;
  server.on("connection", (socket: Socket) => {
    if (isEnding) return void socket.destroy();
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  return () => {
    isEnding = true;
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
  };
}
