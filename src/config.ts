import { z } from 'zod';

const port = z.coerce.number().int().min(1).max(65_535);
const milliseconds = z.coerce.number().int().min(1);
const jsonCredentials = z.string().transform((text, context) => {
  try {
    return z.record(z.string(), z.record(z.string(), z.string().min(1))).parse(JSON.parse(text));
  } catch {
    context.addIssue({ code: 'custom', message: 'must be JSON like {"<merchant id>":{"conekta":"key_…","gateway":"…"}}' });
    return z.NEVER;
  }
});

/** Every setting of the product: environment variable, meaning, default. `docs/configuration.md` is checked against it. */
const schema = z.object({
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: port.default(3000),
  SANDBOX_PORT: port.default(3100),
  TEMPORAL_PORT: port.default(7233),
  TEMPORAL_UI_PORT: port.default(8233),
  WORKER_HEALTH_PORT: port.default(3001),
  DATA_DIR: z.string().min(1).default('.reintegro'),
  DATABASE_URL: z.string().min(1).optional(),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(1).max(200).default(10),
  TEMPORAL_ADDRESS: z.string().min(1).optional(),
  TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
  TEMPORAL_API_KEY: z.string().min(1).optional(),
  TEMPORAL_CLI_PATH: z.string().min(1).optional(),
  REINTEGRO_CACHE_DIR: z.string().min(1).optional(),
  SYNC_WAIT_MS: milliseconds.default(10_000),
  CONEKTA_BASE_URL: z.url().default('https://api.conekta.io'),
  CONEKTA_TIMEOUT_MS: milliseconds.max(30_000).default(8000),
  CONEKTA_SETTLE_DELAY_MS: milliseconds.default(60_000),
  CONEKTA_MAX_SENDS: z.coerce.number().int().min(1).max(10).default(3),
  CONFIRMATION_WINDOW_SECONDS: z.coerce.number().int().min(1).max(86_400).default(180),
  CONEKTA_POLL_SECONDS: z.coerce.number().int().max(86_400).refine((seconds) => seconds === 0 || seconds >= 10, 'must be 0 or at least 10').default(0),
  PROVIDER_CREDENTIALS: jsonCredentials.default({}),
  ORDER_CREDENTIALS: jsonCredentials.default({}),
  CONEKTA_WEBHOOK_PUBLIC_KEY: z.string().min(1).optional(),
  CONEKTA_WEBHOOK_PUBLIC_KEY_FILE: z.string().min(1).optional(),
  GATEWAY_BASE_URL: z.url().optional(),
  GATEWAY_TIMEOUT_MS: milliseconds.max(30_000).default(8000),
  GATEWAY_SETTLE_DELAY_MS: milliseconds.default(60_000),
  GATEWAY_MAX_SENDS: z.coerce.number().int().min(1).max(10).default(3),
  GATEWAY_WEBHOOK_PUBLIC_KEY: z.string().min(1).optional(),
  GATEWAY_WEBHOOK_PUBLIC_KEY_FILE: z.string().min(1).optional(),
  SANDBOX_WEBHOOK_URL: z.url().optional(),
  SANDBOX_GATEWAY_WEBHOOK_URL: z.url().optional(),
  MAX_CACHED_WORKFLOWS: z.coerce.number().int().min(1).max(10_000).default(200),
  WORKER_DEPLOYMENT_NAME: z.string().regex(/^[A-Za-z0-9_-]{1,100}$/, 'must be letters, digits, _ or -').default('reintegro'),
  WORKER_BUILD_ID: z.string().regex(/^[A-Za-z0-9._-]{1,100}$/, 'must be letters, digits, ., _ or -').optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

/** The settings of one process, by the names of their environment variables. */
export type Config = z.infer<typeof schema>;

/** The names of all settings, for the documentation's check. */
export const SETTING_NAMES: readonly string[] = Object.keys(schema.shape);

/** Thrown when the environment does not make a configuration; names every problem at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Reads the settings; empty variables count as absent. Pure. @throws ConfigError naming every problem at once */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(SETTING_NAMES.flatMap((name) => (env[name] === undefined || env[name] === '' ? [] : [[name, env[name]]])));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new ConfigError(`The configuration has ${problems.length} problem(s):\n${problems.join('\n')}`);
}
