import { createServer } from 'node:net';

import { StartupError } from './startup-error.ts';
import { isErrorCode } from './system-error.ts';

/** A port the stack wants to listen on, and the environment variable that moves it. */
export interface WantedPort {
  readonly port: number;
  readonly variable: string;
}

/** Refuses to start when a wanted port is taken. Throws a StartupError with one line per taken port, naming its variable. */
export async function requireFreePorts(wanted: readonly WantedPort[], host = '127.0.0.1'): Promise<void> {
  const problems: string[] = [];
  const variables = new Map<number, string>();
  for (const { port, variable } of wanted) {
    const other = variables.get(port);
    if (other !== undefined) problems.push(`Port ${port} is given twice (${other} and ${variable}): set one of them to another port.`);
    else if (port !== 0) await reportUnusable({ port, variable }, host, problems);
    if (port !== 0) variables.set(port, variable);
  }
  if (problems.length > 0) throw new StartupError(problems.join('\n'));
}

/** A port that is free at this moment, chosen by the kernel. */
export async function findFreePort(host = '127.0.0.1'): Promise<number> {
  const server = await listen(0, host);
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('The kernel gave no TCP port.');
  return address.port;
}

async function reportUnusable({ port, variable }: WantedPort, host: string, problems: string[]): Promise<void> {
  try {
    const server = await listen(port, host);
    await new Promise<void>((resolve) => server.close(() => resolve()));
  } catch (error) {
    if (isErrorCode(error, 'EADDRINUSE')) {
      problems.push(`Port ${port} (${variable}) is in use by another program: set ${variable} to a free one.`);
    } else if (isErrorCode(error, 'EACCES')) {
      problems.push(`Port ${port} (${variable}) needs more rights than this user has: set ${variable} to a port above 1023.`);
    } else {
      throw error;
    }
  }
}

function listen(port: number, host: string): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => resolve(server));
  });
}
