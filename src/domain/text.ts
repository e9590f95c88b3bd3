/** What a text column cannot hold: the null character, and halves of surrogate pairs. */
const UNSTORABLE = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** Whether a text can be written down and read back unchanged: not empty, at most `maxLength` UTF-16 units, nothing a database refuses. */
export function isStorableText(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= maxLength && !UNSTORABLE.test(value);
}

/** The same for a JSON value, at any depth, names included. */
export function isStorableJson(value: unknown): boolean {
  if (typeof value === 'string') return !UNSTORABLE.test(value);
  if (Array.isArray(value)) return value.every(isStorableJson);
  if (typeof value === 'object' && value !== null) return Object.entries(value).every(([name, member]) => !UNSTORABLE.test(name) && isStorableJson(member));
  return true;
}
