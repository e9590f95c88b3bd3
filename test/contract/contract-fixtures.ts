import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';

/** The answers the contract has a schema for. */
export type ContractSchema = 'order_after_refund' | 'order_seed' | 'payout_order' | 'page' | 'error';

const FIXTURES = new URL('fixtures/', import.meta.url);
const ajv = new Ajv2020({ strict: false });
ajv.addSchema(JSON.parse(readFileSync(new URL('contract.schema.json', FIXTURES), 'utf8')) as object);

/** Holds a body against one of the contract's schemas. */
export function expectContract(schema: ContractSchema, body: unknown): void {
  const validate = ajv.getSchema(`contract#/$defs/${schema}`);
  expect(validate?.(body), JSON.stringify(validate?.errors)).toBe(true);
}

/** A seed's JSON. */
export function seed(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(`seeds/${name}`, FIXTURES), 'utf8')) as Record<string, unknown>;
}

/** An error seed without what is different every time. */
export function errorSeed(name: string): Record<string, unknown> {
  const { log_id: _, data: __, ...error } = seed(name);
  return error;
}
