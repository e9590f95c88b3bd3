import { createHash } from 'node:crypto';

/** What must never be seen where it does not belong (I7): personal data and secrets of one run, found nowhere else in the world. */
export interface Canaries {
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly token: string;
  readonly cardNumber: string;
  /** Keys of the two merchants, of the rail, and what the merchants are known by at the provider. */
  readonly keys: { readonly plain: string; readonly stopping: string; readonly rail: string };
  readonly providerKeys: { readonly plain: string; readonly stopping: string };
}

/** Makes the canaries of a run. */
export function canariesOf(seed: number): Canaries {
  const secret = (what: string): string => createHash('sha256').update(`canary ${seed} ${what}`).digest('hex').slice(0, 20);
  const digits = (what: string, count: number): string => BigInt(`0x${secret(what)}`).toString().slice(-count);
  return {
    name: `Canario ${secret('name')}`, email: `canario.${secret('email')}@example.mx`, phone: `+5255${digits('phone', 8)}`, token: `tok_test_visa_${secret('token')}`,
    cardNumber: withCheckDigit(`40000${digits('card', 10)}`),
    keys: { plain: `chaos_plain.${secret('plain')}`, stopping: `chaos_stopping.${secret('stopping')}`, rail: `chaos_rail.${secret('rail')}` },
    providerKeys: { plain: `key_sandbox_${secret('provider plain')}`, stopping: `key_sandbox_${secret('provider stopping')}` },
  };
}

/** What is looked for: the part of each that is its own. Of the phone the national number, of a key the secret. */
function tracksOf({ name, email, phone, token, cardNumber, keys, providerKeys }: Canaries): readonly (readonly [what: string, track: string])[] {
  const secretOf = (key: string): string => key.split(/[._]/).at(-1) ?? key;
  return [
    ['the name', name], ['the e-mail', email], ['the phone number', phone.slice(3)], ['the card token', token], ['the card number', cardNumber],
    ...Object.entries(keys).map(([whose, key]) => [`the ${whose} key`, secretOf(key)] as const),
    ...Object.entries(providerKeys).map(([whose, key]) => [`the provider's ${whose} key`, secretOf(key)] as const),
  ];
}

/** A text where canaries may have got to. */
export interface Place {
  readonly where: string;
  readonly text: string;
}

/** Every place that a canary got to, and which. The text itself is not told: it would be one more place. */
export function findCanaries(canaries: Canaries, places: Iterable<Place>): readonly string[] {
  const tracks = tracksOf(canaries);
  const found = new Set<string>();
  for (const { where, text } of places) {
    for (const [what, track] of tracks) if (text.includes(track)) found.add(`${what} in ${where}`);
  }
  return [...found];
}

/** The last digit by Luhn: then it looks like a card number to whoever checks. */
function withCheckDigit(digits: string): string {
  const sum = digits.split('').toReversed().reduce((total, digit, index) => {
    const value = index % 2 === 0 ? Number(digit) * 2 : Number(digit);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return `${digits}${(10 - (sum % 10)) % 10}`;
}
