import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** An event as it came in. */
export interface ReceivedEvent {
  readonly id: string;
  readonly type: string;
  /** The bytes that were signed. */
  readonly raw: Buffer;
  readonly headers: IncomingHttpHeaders;
}

/** Listens for webhooks on a free port of the loopback, or the one given; `answer` gives the status code of each answer. Closed when the test ends. */
export async function receiveWebhooks(answer: (event: ReceivedEvent) => number, port = 0): Promise<{ readonly url: string; readonly port: number }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks);
      const { id, type } = JSON.parse(raw.toString()) as { id: string; type: string };
      response.writeHead(answer({ id, type, raw, headers: request.headers })).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const bound = (server.address() as AddressInfo).port;
  return { url: `http://127.0.0.1:${bound}/hook`, port: bound };
}
