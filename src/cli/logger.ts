import { pino } from 'pino';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';

/** Makes the process's logger: JSON lines on standard output, no names of hosts or people. */
export function createLogger(config: Config): Logger {
  return pino({ level: config.LOG_LEVEL, base: null, timestamp: pino.stdTimeFunctions.isoTime });
}
