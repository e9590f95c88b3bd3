/**
 * The worker of the bare Workflows, in a process of its own: `node bench/bare-worker.ts <Temporal server> <task queue> <bundle> <provider> <cache>`.
 * The product's Worker options where they matter for speed, the SDK's otherwise.
 */
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createBareActivities } from './bare-activities.ts';

const [address = '', taskQueue = '', codePath = '', providerUrl = '', cache = ''] = process.argv.slice(2);

Runtime.install({ logger: new DefaultLogger('WARN'), telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } } });
const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection, namespace: 'default', taskQueue, workflowBundle: { codePath }, activities: createBareActivities(providerUrl),
  maxCachedWorkflows: Number(cache), maxConcurrentActivityTaskExecutions: 100, stickyQueueScheduleToStartTimeout: '5 seconds',
});
const ended = worker.run();
console.log('polling');
await ended;
await connection.close();
