import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** One PEM block with its label. */
const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----/g;

/** The labels of a public key: SPKI, and RSA's own (PKCS#1). */
const PUBLIC_KEY_LABELS: ReadonlySet<string> = new Set(['PUBLIC KEY', 'RSA PUBLIC KEY']);

/**
 * Reads the keys that webhooks are verified with: RSA public keys in PEM, one after the other, so that the old and the new one hold
 * while a provider changes its key (P6). No value, no keys; `setting` is named in errors.
 * @throws Error when there is no key, something else than white space between them, or a key of another kind; it quotes nothing
 */
export function readWebhookKeys(setting: string, pem: string | undefined): readonly KeyObject[] {
  if (pem === undefined) return [];
  const keyError = (why: string): Error => new Error(`${setting} is not valid: ${why}`);
  const blocks = [...pem.matchAll(PEM_BLOCK)];
  if (blocks.length === 0) throw keyError('it holds no public key in PEM');
  if (pem.replace(PEM_BLOCK, '').trim() !== '') throw keyError('it holds something else than public keys in PEM');
  return blocks.map(([block, label = ''], index) => {
    const key = readKey(block, label);
    if (typeof key === 'string') throw keyError(`key ${index + 1} of ${blocks.length} ${key}`);
    return key;
  });
}

/** The key, or what is wrong with it. */
function readKey(block: string, label: string): KeyObject | string {
  if (!PUBLIC_KEY_LABELS.has(label)) return 'is not a public key';
  const key = parsed(block);
  if (key === null) return 'cannot be read';
  return key.asymmetricKeyType === 'rsa' ? key : 'is not an RSA key';
}

function parsed(block: string): KeyObject | null {
  try {
    return createPublicKey(block);
  } catch {
    // What the parser says is of no help; which key it is, is.
    return null;
  }
}
