import { JsonNumber } from '../domain/decimal.ts';

/** `JSON` as ECMAScript 2026 has it, as far as it is used here. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => object };

/** Writes a value as JSON; a {@link JsonNumber} is written as it was read. */
export function writeExactJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (part instanceof JsonNumber ? rawJSON(part.source) : part));
}
