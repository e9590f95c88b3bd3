#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { parseConfig } from '../config.ts';
import type { PolicyOptions } from '../cli/merchant.ts';
import type { Config } from '../config.ts';

// Compiling the SDK anew is a third of a Worker's start. NODE_COMPILE_CACHE moves the folder, NODE_DISABLE_COMPILE_CACHE turns it off.
enableCompileCache();

/** Reads the environment once, here and nowhere else. Commands are loaded when they are run: each needs its own part only. */
const config = (): Config => parseConfig(process.env);

const program = new Command('reintegro').description('Refunds and cash payout orders as Temporal Workflows: never paid twice, never lost, never guessed.');

program.command('dev').description('everything on embedded defaults: Temporal with its Web UI, database, sandbox, API, worker')
  .action(async () => (await import('../cli/dev.ts')).devCommand(config(), { env: process.env, executable: fileURLToPath(import.meta.url) }));
program.command('api').description('the HTTP API; needs DATABASE_URL and TEMPORAL_ADDRESS')
  .action(async () => (await import('../cli/api.ts')).apiCommand(config()));
program.command('worker').description('runs Workflows and Activities; needs DATABASE_URL and TEMPORAL_ADDRESS')
  .action(async () => (await import('../cli/worker.ts')).workerCommand(config()));
program.command('serve').description('API and worker in one process').option('--demo', 'with the demo merchants and keys', false)
  .action(async (options: { demo: boolean }) => (await import('../cli/serve.ts')).serveCommand(config(), options));
program.command('sandbox').description('the server that imitates providers')
  .action(async () => (await import('../cli/sandbox.ts')).sandboxCommand(config()));
program.command('migrate').description('brings the database schema up to date')
  .action(async () => (await import('../cli/migrate.ts')).migrateCommand(config()));

const merchant = program.command('merchant').description('tenants and their API keys');
merchant.command('create <id> <name>').description('adds a merchant')
  .action(async (id: string, name: string) => (await import('../cli/merchant.ts')).createMerchantCommand(config(), id, name));
merchant.command('key <id>').description('makes an API key and shows it once').option('--scopes <scopes>', 'comma-separated', 'read,refunds,payouts')
  .action(async (id: string, options: { scopes: string }) => (await import('../cli/merchant.ts')).createKeyCommand(config(), id, options.scopes.split(',')));
merchant.command('policy <id>').description('shows what a merchant demands of its refunds; with options, changes it for new refunds')
  .option('--review-threshold <amount>', 'refunds of at least this amount, minor units, need a second person; "none": none does')
  .option('--review-expiry-hours <hours>', 'how long a refund waits for that person before it is cancelled')
  .option('--payer-confirmation <on|off>', 'whether the payer must confirm every refund')
  .option('--payer-confirmation-expiry-hours <hours>', 'how long a refund waits for the payer before it is cancelled')
  .option('--cancellation-window-seconds <seconds>', 'how long every refund may still be called off before it is sent')
  .action(async (id: string, options: PolicyOptions) => (await import('../cli/merchant.ts')).policyCommand(config(), id, options));

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  if (process.env['LOG_LEVEL'] === 'debug') console.error(error);
  process.exit(1);
}
