import { createServer } from 'node:http';

/** A Worker's health page. */
export interface HealthServer {
  close(): Promise<void>;
}

/** Serves `GET /health/ready` (200 or 503) and `GET /health/live` for the supervisor of a Worker process. */
export async function startHealthServer(options: { host: string; port: number; isReady: () => Promise<boolean> }): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const answer = (ok: boolean): void => {
      response.writeHead(ok ? 200 : 503, { 'content-type': 'application/json' }).end(JSON.stringify({ status: ok ? 'ok' : 'unavailable' }));
    };
    if (request.url === '/health/live') return answer(true);
    if (request.url !== '/health/ready') return void response.writeHead(404).end();
    options.isReady().then(answer, () => answer(false));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return { close: () => new Promise((resolve, reject) => server.close((error) => (error === undefined ? resolve() : reject(error)))) };
}
