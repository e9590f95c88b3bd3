import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as the server received it. */
interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What the server does with one request. */
export type Script = (response: ServerResponse, request: SeenRequest) => void;

/** A loopback HTTP server that answers as scripted and remembers what it was asked. */
export interface ScriptedServer {
  readonly baseUrl: string;
  readonly seen: SeenRequest[];
  /** Sets what happens to the requests from now on and forgets those seen. */
  script(script: Script): void;
  close(): Promise<void>;
}

/** A script that answers with a status, a JSON value and headers. */
export function respond(status: number, json: unknown, headers: Readonly<Record<string, string>> = {}): Script {
  return respondText(status, JSON.stringify(json), { 'content-type': 'application/json', ...headers });
}

/** A script that answers with a status and a body that is sent as it is. */
export function respondText(status: number, body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Script {
  return (response) => {
    response.writeHead(status, headers);
    response.end(body);
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
    server.closeAllConnections();
  });
}

/** Starts a scripted server on a free port of the loopback interface. */
export async function startScriptedServer(): Promise<ScriptedServer> {
  let current: Script = respond(500, {});
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const seenRequest = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
      seen.push(seenRequest);
      current(response, seenRequest);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    script(script) {
      current = script;
      seen.length = 0;
    },
    close: () => closeServer(server),
  };
}
