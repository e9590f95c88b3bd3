/** A provider that does nothing, on loopback: `node bench/bare-provider.ts`. It answers every POST with 200, and prints where it listens. */
import { createServer } from 'node:http';
import { z } from 'zod';

const workSchema = z.object({ id: z.string() });

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece)).on('end', () => {
    const { id } = workSchema.parse(JSON.parse(Buffer.concat(pieces).toString('utf8')));
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ id, status: 'succeeded' }));
  });
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the provider has no port');
  console.log(`serving on http://127.0.0.1:${address.port}`);
});
