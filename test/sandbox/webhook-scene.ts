import { generateKeyPairSync } from 'node:crypto';
import { vi } from 'vitest';
import { receiveWebhooks, type ReceivedEvent } from './receive-webhooks.ts';
import { startSandbox, type RunningSandbox } from './start-sandbox.ts';

const pair = generateKeyPairSync('rsa', {
  modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' },
});

/** The key that signs the events of a scene. */
export const WEBHOOK_KEY = { privateKeyPem: pair.privateKey, publicKeyPem: pair.publicKey };

/** A sandbox whose events are received. */
export interface WebhookScene {
  readonly sandbox: RunningSandbox;
  readonly received: ReceivedEvent[];
  /** Waits until so many events came in, and returns the types of all that did. */
  readonly until: (count: number) => Promise<readonly string[]>;
}

/**
 * Starts a sandbox whose events are received, each answered with the status that `answer` gives for the attempt, counted from 1; `receiver` says
 * of which dialect.
 */
export async function startWebhookScene(
  answer: (attempt: number) => number = () => 200, databasePath = ':memory:', receiver: 'webhook' | 'gatewayWebhook' = 'webhook',
): Promise<WebhookScene> {
  const received: ReceivedEvent[] = [];
  const { url } = await receiveWebhooks((event) => answer(received.push(event)));
  const sandbox = await startSandbox({ databasePath, [receiver]: { url, privateKeyPem: WEBHOOK_KEY.privateKeyPem } });
  const until = async (count: number): Promise<readonly string[]> => {
    await vi.waitUntil(() => received.length >= count, { timeout: 5000, interval: 10 });
    return received.map((event) => event.type);
  };
  return { sandbox, received, until };
}
