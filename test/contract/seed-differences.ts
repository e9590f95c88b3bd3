type Json = Readonly<Record<string, unknown>>;

const HEX_ID = /^[0-9a-f]{24}$/;
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Ids of the seeds, and the form that ours must have in their place. */
const ID_FORMS: readonly RegExp[] = [/^ord_[0-9A-Za-z]{16,24}$/, /^line_item_[0-9A-Za-z]{16,24}$/, /^payout_[0-9A-Za-z]{16,24}$/, GUID, HEX_ID];

/** Where an hour is far: the tests have just made what they look at. */
const RECENT_SECONDS = 3600;

/**
 * Compares an answer with a seed field by field: the same fields, types, nulls and values. Only what cannot be the same is held
 * against a form: ids, times (unix seconds), and authorization codes.
 * `extras` are paths that the answer may have beyond the seed (`payouts[].livemode`). Returns what differs.
 */
export function seedDifferences(actual: unknown, seed: unknown, extras: readonly string[] = [], path = ''): readonly string[] {
  if (Array.isArray(seed)) {
    if (!Array.isArray(actual) || actual.length !== seed.length) return [`${path}: ${JSON.stringify(actual)} is not a list of ${seed.length}`];
    return seed.flatMap((item, index) => seedDifferences(actual[index], item, extras, `${path}[]`));
  }
  if (isObject(seed)) {
    if (!isObject(actual)) return [`${path}: ${JSON.stringify(actual)} is not an object`];
    const missing = Object.keys(seed).filter((key) => !(key in actual)).map((key) => `${at(path, key)}: missing`);
    const beyond = Object.keys(actual).filter((key) => !(key in seed) && !extras.includes(at(path, key))).map((key) => `${at(path, key)}: not in the seed`);
    const shared = Object.keys(seed).filter((key) => key in actual);
    return [...missing, ...beyond, ...shared.flatMap((key) => seedDifferences(actual[key], seed[key], extras, at(path, key)))];
  }
  return fits(actual, seed, path.split(/[.[\]]+/).at(-1) ?? '') ? [] : [`${path}: ${JSON.stringify(actual)} where the seed has ${JSON.stringify(seed)}`];
}

function fits(actual: unknown, seed: unknown, key: string): boolean {
  if (typeof seed === 'number' && key.endsWith('_at')) return isTime(actual, key);
  if (typeof seed !== 'string') return actual === seed;
  // The seed's example of a read has an empty id (CONTRACT §8 no. 14).
  if (key === 'id' && seed === '') return typeof actual === 'string' && GUID.test(actual);
  if (key === 'auth_code') return typeof actual === 'string' && /^\d{4,6}$/.test(actual);
  const form = ID_FORMS.find((candidate) => candidate.test(seed));
  return form === undefined ? actual === seed : typeof actual === 'string' && form.test(actual);
}

function isTime(actual: unknown, key: string): boolean {
  if (!Number.isSafeInteger(actual)) return false;
  const fromNow = Number(actual) - Date.now() / 1000;
  return key === 'expires_at' ? fromNow > 0 && Number(actual) < 99_999_999_999 : Math.abs(fromNow) < RECENT_SECONDS;
}

function at(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
