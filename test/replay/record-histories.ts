/** Records `histories/` anew (`npm run record-histories`): one history per outcome, played on a real Temporal server with scripted Activities. */
import { mkdir, rm, writeFile } from 'node:fs/promises';

import findTemporalPrograms from '../support/global-setup.ts';
import { realServer } from '../workflow/environments.ts';
import { recordOutcome, RECORDING_IDENTITY } from './record-outcome.ts';
import { RECORDED_OUTCOMES } from './recorded-outcomes.ts';

const FOLDER = new URL('./histories/', import.meta.url);

await findTemporalPrograms();
const server = await realServer(RECORDING_IDENTITY);
try {
  const recorded: [name: string, json: string][] = [];
  for (const outcome of Object.values(RECORDED_OUTCOMES).flat()) recorded.push([outcome.name, await recordOutcome(server.env, outcome)]);
  // Only a whole set replaces the old one.
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  for (const [name, json] of recorded) await writeFile(new URL(`${name}.json`, FOLDER), json);
  process.stdout.write(`${recorded.length} histories are recorded in test/replay/histories\n`);
} finally {
  await server.close();
}
