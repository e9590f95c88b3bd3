import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** One PEM block with its label. */
const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----/g;

/** The labels of a public key: SPKI, and RSA's own (PKCS#1). */
const PUBLIC_KEY_LABELS: ReadonlySet<string> = new Set(['PUBLIC KEY', 'RSA PUBLIC KEY']);

/**
 * Reads the keys that webhooks are verified with: RSA public keys in PEM, one after the other, so that the old and the new one hold
 * while a provider changes its key (P6). No setting, no keys.
 * @throws Error when there is no key, something else than white space between them, or a key of another kind; it quotes nothing
 */
export function readWebhookKeys(pem: string | undefined): readonly KeyObject[] {
  if (pem === undefined) return [];
  const blocks = [...pem.matchAll(PEM_BLOCK)];
  if (blocks.length === 0) throw keyError('it holds no public key in PEM');
  if (pem.replace(PEM_BLOCK, '').trim() !== '') throw keyError('it holds something else than public keys in PEM');
  return blocks.map(([block, label = ''], index) => readKey(block, label, `key ${index + 1} of ${blocks.length}`));
}

function readKey(block: string, label: string, name: string): KeyObject {
  if (!PUBLIC_KEY_LABELS.has(label)) throw keyError(`${name} is not a public key`);
  const key = parsed(block);
  if (key === null) throw keyError(`${name} cannot be read`);
  if (key.asymmetricKeyType !== 'rsa') throw keyError(`${name} is not an RSA key`);
  return key;
}

function parsed(block: string): KeyObject | null {
  try {
    return createPublicKey(block);
  } catch {
    // What the parser says is of no help; which key it is, is.
    return null;
  }
}

function keyError(why: string): Error {
  return new Error(`CONEKTA_WEBHOOK_PUBLIC_KEY is not valid: ${why}`);
}
