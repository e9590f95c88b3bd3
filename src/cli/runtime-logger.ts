import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';

/** Sends the lines of the Temporal runtime, from warnings up, through our logger. Call once, before the first Worker. */
export function installRuntimeLogger(logger: Logger): void {
  const runtimeLogger = new DefaultLogger('WARN', ({ level, message, meta }) => {
    logger[level === 'ERROR' ? 'error' : 'warn']({ component: 'temporal', workflowId: meta?.['workflowId'], activityType: meta?.['activityType'], error: errorName(meta?.['error']) }, message);
  });
  Runtime.install({ logger: runtimeLogger, shutdownSignals: [], telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } } });
}

/** Errors may carry what a provider or a caller said: their class is enough for a log, the rest is in the Workflow's history. */
function errorName(error: unknown): string | undefined {
  return error instanceof Error ? `${error.name}: ${error.message}` : undefined;
}
