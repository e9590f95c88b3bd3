import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';

import { findFreePort, requireFreePorts } from '../../src/embedded/port-check.ts';
import { StartupError } from '../../src/embedded/startup-error.ts';

describe('requireFreePorts', () => {
  it('should name the port and its variable when another program listens there (D1)', async () => {
    const port = await findFreePort();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    try {
      const check = requireFreePorts([{ port, variable: 'PORT' }]);
      await expect(check).rejects.toThrow(StartupError);
      await expect(check).rejects.toThrow(`Port ${port} (PORT) is in use by another program: set PORT to a free one.`);
    } finally {
      server.close();
    }
    await requireFreePorts([{ port, variable: 'PORT' }]);
  });

  it('should refuse the same port given to two variables (D1)', async () => {
    const port = await findFreePort();
    const check = requireFreePorts([
      { port, variable: 'PORT' },
      { port, variable: 'SANDBOX_PORT' },
    ]);
    await expect(check).rejects.toThrow(/PORT and SANDBOX_PORT/);
  });
});
