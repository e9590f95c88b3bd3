import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The key pair that signs the sandbox's webhooks, PEM. */
export interface WebhookKey {
  readonly privateKeyPem: string;
  readonly publicKeyPem: string;
}

/**
 * Reads the webhook key from a folder, or makes one (RSA, 2048 bits) and keeps it there, readable by its owner only.
 * Throws when the folder cannot be written or holds something that is no key.
 */
export function loadOrCreateWebhookKey(dir: string): WebhookKey {
  const privatePath = join(dir, 'webhook-private.pem');
  const publicPath = join(dir, 'webhook-public.pem');
  if (!existsSync(privatePath)) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeWhole(privatePath, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  }
  const privateKeyPem = readFileSync(privatePath, 'utf8');
  const publicKeyPem = createPublicKey(privateKeyPem).export({ type: 'spki', format: 'pem' }).toString();
  if (!existsSync(publicPath) || readFileSync(publicPath, 'utf8') !== publicKeyPem) writeWhole(publicPath, publicKeyPem);
  return { privateKeyPem, publicKeyPem };
}

/** Writes beside and renames, so that a kill in between leaves no half a key. */
function writeWhole(path: string, content: string): void {
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, content, { mode: 0o600 });
  renameSync(draft, path);
}
