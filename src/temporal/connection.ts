import { Client, Connection } from '@temporalio/client';

/** Where the Temporal server is. */
export interface TemporalTarget {
  /** host:port of its gRPC API. */
  readonly address: string;
  readonly namespace: string;
  /** For Temporal Cloud; implies TLS. */
  readonly apiKey?: string | undefined;
}

const LOOPBACK = /^(localhost|127\.|\[::1\])/;

/** How a client reaches the server. */
export function clientOptions(target: TemporalTarget) {
  // The client would send even loopback traffic through an HTTP proxy of the environment, and hang there.
  return { ...serverOptions(target), ...(LOOPBACK.test(target.address) ? { channelArgs: { 'grpc.enable_http_proxy': 0 } } : {}) };
}

/** Where the server is, in the SDK's terms. */
export function serverOptions({ address, apiKey }: TemporalTarget) {
  return apiKey === undefined ? { address } : { address, apiKey, tls: true };
}

/** A client of the server with its connection; `close` ends it. */
export interface TemporalClient {
  readonly client: Client;
  /** Whether the server answers now. */
  isServing(): Promise<boolean>;
  close(): Promise<void>;
}

/** Connects a client. The connection heals itself when the server restarts. @throws when the server cannot be reached now */
export async function connectClient(target: TemporalTarget): Promise<TemporalClient> {
  const connection = await Connection.connect({ ...clientOptions(target), connectTimeout: '10s' });
  const client = new Client({ connection, namespace: target.namespace });
  return {
    client,
    isServing: async () => {
      try {
        await connection.withDeadline(Date.now() + 2000, () => connection.workflowService.describeNamespace({ namespace: target.namespace }));
        return true;
      } catch {
        // Not serving is the answer, whatever the reason.
        return false;
      }
    },
    close: () => connection.close(),
  };
}
