import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';

import { registerSearchAttributes } from '../../src/temporal/register-search-attributes.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/search-attributes.ts';
import { devServer, timeSkippingEnvironment } from '../support/temporal-servers.ts';
import type { DevServerOptions } from '../support/temporal-servers.ts';

/** A server for Workflow tests with its connections. */
export interface Environment {
  readonly env: TestWorkflowEnvironment;
  close(): Promise<void>;
}

/** Temporal's numbers for the types we use (`temporal.api.enums.v1.IndexedValueType`). */
const INDEXED_VALUE_TYPES = { KEYWORD: 2, INT: 3, BOOL: 5 } as const;

/** A server that skips over waiting time and knows our search attributes. */
export async function timeSkippingServer(): Promise<Environment> {
  speakOnlyOfErrors();
  const env = await timeSkippingEnvironment();
  // This server registers search attributes, but cannot list them as the product's own start asks a real one to.
  await env.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(Object.values(SEARCH_ATTRIBUTES).map((attribute) => [attribute.name, INDEXED_VALUE_TYPES[attribute.type]])),
  });
  return { env, close: () => env.teardown() };
}

/** A real server, prepared as the product prepares it. `identity` is what histories say about the client. */
export async function realServer(identity = 'test', options: DevServerOptions = {}): Promise<Environment> {
  speakOnlyOfErrors();
  const server = await devServer(options);
  await registerSearchAttributes('default', { address: server.address });
  const env = await TestWorkflowEnvironment.createFromExistingServer({ address: server.address, client: { identity } });
  return {
    env,
    close: async () => {
      await env.teardown();
      await server.stop();
    },
  };
}

let spoken = false;

/** Workflow failures are what many tests are about: the SDK's warnings about them would bury a real message. */
export function speakOnlyOfErrors(): void {
  if (spoken) return;
  spoken = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
  });
}
