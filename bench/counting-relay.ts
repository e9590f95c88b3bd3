import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

const REQUEST = /^(GET|POST|PUT|DELETE) /;

/** A relay on loopback that counts the HTTP requests that pass it. */
export interface CountingRelay {
  readonly url: string;
  requests(): number;
  close(): Promise<void>;
}

/** Starts a relay to a port on loopback. A request is counted where its first bytes stand at the beginning of a piece, as all small ones do. */
export async function startCountingRelay(port: number): Promise<CountingRelay> {
  let requests = 0;
  const sockets = new Set<Socket>();
  const server = createServer((caller) => {
    const target = connect(port, '127.0.0.1');
    for (const [socket, other] of [[caller, target], [target, caller]] as const) {
      sockets.add(socket);
      // An end on one side, whatever its reason, is one for the other side.
      socket.on('error', () => other.destroy()).on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.setNoDelay(true).pipe(other);
    }
    caller.on('data', (piece) => {
      if (REQUEST.test(piece.subarray(0, 8).toString('latin1'))) requests += 1;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the relay has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests: () => requests,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
