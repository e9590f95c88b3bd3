import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readWebhookKeys } from '../../src/http/webhooks/webhook-keys.ts';
import { deliverTo } from './signed-webhook.ts';
import { expectRefused, startApi } from './start-api.ts';

const [old, current, stranger] = [rsa(), rsa(), rsa()];
const ed25519 = generateKeyPairSync('ed25519');
const EVENT = { id: 'event_rotation', type: 'webhook_ping' };

function rsa() {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { privateKey, pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(), pkcs1: publicKey.export({ type: 'pkcs1', format: 'pem' }).toString() };
}

describe('a rotated webhook key (P6)', () => {
  it('should take a webhook signed by any of the keys while there are several, and by no other', async () => {
    const api = await startApi({ webhookPublicKeyPem: `${old.pem}\n${current.pem}` });
    for (const { privateKey } of [old, current]) expect((await deliverTo(api, EVENT, { key: privateKey })).status).toBe(200);
    expectRefused(api, await deliverTo(api, EVENT, { key: stranger.privateKey }), 401, 'authentication_error');
    expectRefused(api, await deliverTo(api, EVENT, { headers: { digest: '' } }), 401, 'authentication_error');
    await api.close();
  });

  it('should refuse the key that was taken out with 401', async () => {
    const api = await startApi({ webhookPublicKeyPem: current.pem });
    expectRefused(api, await deliverTo(api, EVENT, { key: old.privateKey }), 401, 'authentication_error');
    expect((await deliverTo(api, EVENT, { key: current.privateKey })).status).toBe(200);
    await api.close();
  });
});

describe('readWebhookKeys', () => {
  it.each([
    ['none without a setting', undefined, 0], ['one', old.pem, 1], ['two without a line between', old.pem.trimEnd() + current.pem, 2], ['two with Windows line ends', `${old.pem}${current.pem}`.replaceAll('\n', '\r\n'), 2],
    ['three with white space around', `\n\n ${old.pem}\n\n\t${current.pem}\n${stranger.pkcs1}\n\n`, 3],
  ])('should read %s', (_, pem, count) => {
    expect(readWebhookKeys('CONEKTA_WEBHOOK_PUBLIC_KEY', pem)).toHaveLength(count);
  });

  it.each([
    ['nothing', '', 'it holds no public key in PEM'], ['white space', ' \n', 'it holds no public key in PEM'], ['no PEM', 'nonsense', 'it holds no public key in PEM'],
    ['junk before', `junk\n${old.pem}`, 'something else than public keys'], ['junk between', `${old.pem}# the new one\n${current.pem}`, 'something else than public keys'], ['half a key behind', `${old.pem}${current.pem.slice(0, 100)}`, 'something else than public keys'],
    ['no RSA key', `${old.pem}${ed25519.publicKey.export({ type: 'spki', format: 'pem' }).toString()}`, 'key 2 of 2 is not an RSA key'],
    ['a key that cannot be read', `${old.pem}-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----`, 'key 2 of 2 cannot be read'],
    ['a private key', `${current.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()}${old.pem}`, 'key 1 of 2 is not a public key'],
  ])('should not start with %s, and say why without quoting it', (_, pem, message) => {
    expect(() => readWebhookKeys('CONEKTA_WEBHOOK_PUBLIC_KEY', pem)).toThrow(`CONEKTA_WEBHOOK_PUBLIC_KEY is not valid: ${message.startsWith('something') ? 'it holds ' : ''}${message}`);
  });
});
