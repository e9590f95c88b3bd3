import { homedir } from 'node:os';

import { cacheDirectory } from '../../src/embedded/cache-directory.ts';
import { resolveTemporalCli } from '../../src/embedded/temporal-cli.ts';
import { resolveTemporalTestServer } from '../../src/embedded/temporal-test-server.ts';
import { SHARED_POSTGRES, startPostgres } from './postgres.ts';

/**
 * Finds or fetches both Temporal servers once, before any test, and hands them on by the variables that the product
 * itself reads, so that programs started by tests find them too. Starts the PostgreSQL on which tests of the records make
 * databases of their own; tests that kill one start their own.
 */
export default async function prepareTests(): Promise<() => Promise<void>> {
  const { env } = process;
  const options = {
    pathVariable: env['PATH'],
    cacheDir: cacheDirectory({ explicit: env['REINTEGRO_CACHE_DIR'], xdgCacheHome: env['XDG_CACHE_HOME'], homeDirectory: homedir() }),
    onProgress: (line: string): void => console.log(line),
  };
  env['TEMPORAL_CLI_PATH'] = await resolveTemporalCli({ ...options, explicitPath: env['TEMPORAL_CLI_PATH'] });
  env['TEMPORAL_TEST_SERVER_PATH'] = await resolveTemporalTestServer({ ...options, explicitPath: env['TEMPORAL_TEST_SERVER_PATH'] });
  // gRPC clients would ask a proxy even for servers on loopback.
  env['no_proxy'] = [env['no_proxy'], 'localhost', '127.0.0.1'].filter(Boolean).join(',');
  // Each test file starts a test server of its own, which does not live long enough for the optimising compiler to pay.
  env['JAVA_TOOL_OPTIONS'] ??= '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC';
  const postgres = await startPostgres();
  if (postgres !== null) env[SHARED_POSTGRES] = postgres.url;
  return async () => postgres?.stop();
}
