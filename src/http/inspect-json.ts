/** Something in a JSON text that its parsed value no longer shows, or that our records cannot hold; with the top-level field it is under. */
export interface JsonFlaw {
  readonly kind: 'duplicate' | 'inexact_number' | 'unstorable_text' | 'too_deep';
  readonly field: string;
}

const MAX_DEPTH = 20;
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const INTEGER = /^-?(?:0|[1-9]\d*)$/;
/** Halves of characters, which PostgreSQL does not hold; `__proto__` is a name that objects treat apart. */
const UNSTORABLE = /\p{Surrogate}|^__proto__$/u;

/**
 * Looks at the tokens of a JSON text for what `JSON.parse` passes over (M1): a name given twice (the last would win in silence), a
 * top-level number that is not written as a safe integer (`1.0`, `1e3`, `9007199254740993`) and is in none of the fields named as decimals, a
 * deeper number that a double cannot hold. The text must be valid JSON.
 */
export function inspectJson(text: string, decimalFields: readonly string[] = []): JsonFlaw | null {
  const scopes: Set<string>[] = [];
  let field = '';
  let previous = '';
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '{' || token === '[') {
      scopes.push(new Set());
      if (scopes.length > MAX_DEPTH) return { kind: 'too_deep', field };
    } else if (token === '}' || token === ']') {
      scopes.pop();
    } else if (token === ':') {
      const name = JSON.parse(previous) as string;
      if (scopes.length === 1) field = name;
      if (scopes.at(-1)?.has(name) === true) return { kind: 'duplicate', field };
      scopes.at(-1)?.add(name);
    } else {
      const flaw = flawOfScalar(token, scopes.length > 1 || decimalFields.includes(field));
      if (flaw !== null) return { kind: flaw, field };
    }
    previous = token;
  }
  return null;
}

function flawOfScalar(token: string, mayHaveFraction: boolean): JsonFlaw['kind'] | null {
  if (token.startsWith('"')) return isStorable(JSON.parse(token) as string) ? null : 'unstorable_text';
  if (!/^[-\d]/.test(token)) return null;
  const isInteger = INTEGER.test(token);
  if (isInteger) return Number.isSafeInteger(Number(token)) ? null : 'inexact_number';
  return mayHaveFraction && Number.isFinite(Number(token)) ? null : 'inexact_number';
}

function isStorable(text: string): boolean {
  // Nor does PostgreSQL hold the NUL character.
  return !text.includes('\0') && !UNSTORABLE.test(text);
}
