import { NativeConnection } from '@temporalio/worker';
import { clientOptions, serverOptions } from './connection.ts';
import type { TemporalTarget } from './connection.ts';
import { registerSearchAttributes } from './register-search-attributes.ts';

/** Connects a Worker and makes sure that the server knows our search attributes. @throws when the server cannot be reached now */
export async function connectWorker(target: TemporalTarget): Promise<NativeConnection> {
  await registerSearchAttributes(target.namespace, clientOptions(target));
  return NativeConnection.connect(serverOptions(target));
}
