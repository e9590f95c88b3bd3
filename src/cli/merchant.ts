import { createHash, randomBytes } from 'node:crypto';
import type { Config } from '../config.ts';
import type { Database } from '../store/database.ts';
import { MAX_CANCELLATION_WINDOW_SECONDS } from '../domain/checkpoint.ts';
import type { RefundPolicy } from '../domain/checkpoint.ts';
import { providerOf, readMerchant, saveApiKey, saveMerchant, saveRefundPolicy, SCOPES } from '../store/merchants.ts';
import type { Scope } from '../store/merchants.ts';
import { openRecords, requireDatabaseUrl } from './open-process.ts';

/** `reintegro merchant create <id> <name>`: adds a tenant. */
export async function createMerchantCommand(config: Config, merchantId: string, name: string): Promise<void> {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(merchantId)) throw new Error('A merchant id has 1 to 64 letters, digits, dots, underscores or hyphens.');
  await withRecords(config, (db) => saveMerchant(db, { merchantId, name, provider: 'conekta' }));
  console.log(`Merchant ${merchantId} is on record.`);
}

/** `reintegro merchant key <id> --scopes …`: makes an API key and shows it once; only its hash is kept. */
export async function createKeyCommand(config: Config, merchantId: string, scopes: readonly string[]): Promise<void> {
  const unknown = scopes.filter((scope) => !(SCOPES as readonly string[]).includes(scope));
  if (unknown.length > 0) throw new Error(`Unknown scope(s) ${unknown.join(', ')}: choose from ${SCOPES.join(', ')}.`);
  const keyPrefix = `key_${randomBytes(6).toString('hex')}`;
  const key = `${keyPrefix}.${randomBytes(24).toString('base64url')}`;
  await withRecords(config, async (db) => {
    await providerOf(db, merchantId);
    await saveApiKey(db, { keyHash: createHash('sha256').update(key).digest('hex'), keyPrefix, merchantId, scopes: scopes as Scope[] });
  });
  console.log(key);
}

/** Options of `reintegro merchant policy`, as they were typed. */
export interface PolicyOptions {
  readonly reviewThreshold?: string;
  readonly reviewExpiryHours?: string;
  readonly payerConfirmation?: string;
  readonly payerConfirmationExpiryHours?: string;
  readonly cancellationWindowSeconds?: string;
}

const HOUR_MS = 3_600_000;
const MAX_EXPIRY_HOURS = 366 * 24;

/** `reintegro merchant policy <id>`: changes what the merchant demands of its refunds (R3, R5), if asked to, and shows what holds. */
export async function policyCommand(config: Config, merchantId: string, options: PolicyOptions): Promise<void> {
  const changes = parsePolicy(options);
  await withRecords(config, async (db) => {
    if (Object.keys(changes).length > 0) await saveRefundPolicy(db, merchantId, changes);
    const { policy } = await readMerchant(db, merchantId);
    console.log(describePolicy(policy));
  });
}

/** Reads the options given. @throws Error naming every problem at once */
function parsePolicy(options: PolicyOptions): Partial<RefundPolicy> {
  const problems: string[] = [];
  const changes: { -readonly [Field in keyof RefundPolicy]?: RefundPolicy[Field] } = {};
  const read = <Field extends keyof RefundPolicy>(option: keyof PolicyOptions, field: Field, parse: (given: string) => RefundPolicy[Field] | undefined, expected: string): void => {
    const given = options[option];
    const value = given === undefined ? undefined : parse(given);
    if (value !== undefined) changes[field] = value;
    else if (given !== undefined) problems.push(`  --${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}: expected ${expected}`);
  };
  const hours = (given: string): number | undefined => parseWhole(given, 1, MAX_EXPIRY_HOURS, HOUR_MS);
  read('reviewThreshold', 'reviewThresholdMinor', (given) => (given === 'none' ? null : parseWhole(given, 1, Number.MAX_SAFE_INTEGER)), '"none" or an amount in minor units, at least 1');
  read('reviewExpiryHours', 'reviewExpiryMs', hours, `whole hours, 1 to ${MAX_EXPIRY_HOURS}`);
  read('payerConfirmation', 'requirePayerConfirmation', (given) => (given === 'on' || given === 'off' ? given === 'on' : undefined), '"on" or "off"');
  read('payerConfirmationExpiryHours', 'payerConfirmationExpiryMs', hours, `whole hours, 1 to ${MAX_EXPIRY_HOURS}`);
  read('cancellationWindowSeconds', 'cancellationWindowMs', (given) => parseWhole(given, 0, MAX_CANCELLATION_WINDOW_SECONDS, 1000), `whole seconds, 0 to ${MAX_CANCELLATION_WINDOW_SECONDS}`);
  if (problems.length > 0) throw new Error(`Nothing was changed; the policy has ${problems.length} problem(s):\n${problems.join('\n')}`);
  return changes;
}

/** A whole number in decimal digits between two bounds, times its unit; `undefined` for anything else. */
function parseWhole(given: string, min: number, max: number, unit = 1): number | undefined {
  const value = /^\d{1,16}$/.test(given) ? Number(given) : Number.NaN;
  return value >= min && value <= max ? value * unit : undefined;
}

/** One line per option, with the value that would set it. */
function describePolicy(policy: RefundPolicy): string {
  return [
    `review-threshold: ${policy.reviewThresholdMinor ?? 'none'}`,
    `review-expiry-hours: ${policy.reviewExpiryMs / HOUR_MS}`,
    `payer-confirmation: ${policy.requirePayerConfirmation ? 'on' : 'off'}`,
    `payer-confirmation-expiry-hours: ${policy.payerConfirmationExpiryMs / HOUR_MS}`,
    `cancellation-window-seconds: ${policy.cancellationWindowMs / 1000}`,
  ].join('\n');
}

async function withRecords(config: Config, work: (db: Database) => Promise<void>): Promise<void> {
  requireDatabaseUrl(config);
  const db = await openRecords(config);
  try {
    await work(db);
  } finally {
    await db.destroy();
  }
}
