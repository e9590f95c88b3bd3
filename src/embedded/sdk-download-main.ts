/**
 * Program: has the SDK download one of its servers, by starting that server once and stopping it.
 * Arguments: kind (`dev-server` or `test-server`), version, download folder.
 */
import { exitWithParent } from './exit-with-parent.ts';
import { findFreePort } from './port-check.ts';

exitWithParent();
const [kind, version, downloadDir] = process.argv.slice(2);
if (kind === undefined || version === undefined || downloadDir === undefined) {
  throw new Error('Usage: sdk-download-main <dev-server|test-server> <version> <folder>');
}

try {
  // A development dependency: where it is not installed, this source fails and the next one is tried.
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const server = { executable: { type: 'cached-download', downloadDir, version }, port: await findFreePort() } as const;
  const environment =
    kind === 'dev-server'
      ? await TestWorkflowEnvironment.createLocal({ server })
      : await TestWorkflowEnvironment.createTimeSkipping({ server });
  await environment.teardown();
  process.exit(0);
} catch (error) {
  // Read by the parent, which shows it to a person: the message, not the stack.
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
