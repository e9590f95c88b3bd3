import { generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Answer, TestApi } from './start-api.ts';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** The public key of the provider that signs by default, PEM. */
export const PROVIDER_PUBLIC_PEM = publicKey.export({ type: 'spki', format: 'pem' }).toString();

/** Signs as the provider does: RSA-SHA256 over the bytes unless told otherwise, base64. */
export function signatureOf(bytes: Buffer | string, { key = privateKey, hash = 'RSA-SHA256' }: { key?: KeyObject; hash?: string } = {}): string {
  return sign(hash, Buffer.from(bytes), key).toString('base64');
}

/** Delivers an event as the provider does; a text is sent as it is. */
export function deliverTo(api: TestApi, body: unknown, { key, headers = {} }: { key?: KeyObject; headers?: Record<string, string> } = {}): Promise<Answer> {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return api.call('POST', '/webhooks/conekta', bytes, { authorization: '', digest: signatureOf(bytes, key === undefined ? {} : { key }), ...headers });
}
