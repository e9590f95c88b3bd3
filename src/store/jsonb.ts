/** Escapes of JSON text that a `jsonb` column refuses: the null character and halves of surrogate pairs. */
const REFUSED_ESCAPES = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/gi;

/** Renders a value for a `jsonb` column. What the column would refuse becomes U+FFFD: a provider's odd byte must not stop a settlement. */
export function toJsonb(value: unknown): string {
  return JSON.stringify(value).replace(REFUSED_ESCAPES, '$1\\ufffd');
}
