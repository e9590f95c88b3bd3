import { Connection, isGrpcServiceError } from '@temporalio/client';
import type { ConnectionOptions } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../workflows/search-attributes.ts';

/** Temporal's numbers for the types we use (`temporal.api.enums.v1.IndexedValueType`). */
const INDEXED_VALUE_TYPES = { KEYWORD: 2, INT: 3, BOOL: 5 } as const;

/** gRPC status codes of an answer that means: they exist, or only the operator of the server may add them. */
const ALREADY_EXISTS = 6;
const PERMISSION_DENIED = 7;

/**
 * Registers our search attributes (A6) where they are missing. A server that does not let us is left as it is: its
 * operator has registered them, or starting a Workflow will say which one is unknown.
 */
export async function registerSearchAttributes(namespace: string, options: ConnectionOptions): Promise<void> {
  const connection = await Connection.connect({ ...options, connectTimeout: '10s' });
  try {
    const known = await connection.operatorService.listSearchAttributes({ namespace });
    const missing = Object.values(SEARCH_ATTRIBUTES).filter((attribute) => !(attribute.name in (known.customAttributes ?? {})));
    if (missing.length === 0) return;
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: Object.fromEntries(missing.map((attribute) => [attribute.name, INDEXED_VALUE_TYPES[attribute.type]])) });
  } catch (error) {
    if (!isGrpcServiceError(error) || (error.code !== ALREADY_EXISTS && error.code !== PERMISSION_DENIED)) throw error;
  } finally {
    await connection.close();
  }
}
