/**
 * Records the histories that `histories/` lacks (`npm run record-histories`): one per outcome, played on a real Temporal server with scripted
 * Activities. One that is there is never recorded anew: it stands for Workflows in production.
 */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';

import findTemporalPrograms from '../support/global-setup.ts';
import { realServer } from '../workflow/environments.ts';
import { recordOutcome, RECORDING_IDENTITY } from './record-outcome.ts';
import { RECORDED_OUTCOMES } from './recorded-outcomes.ts';

const FOLDER = new URL('./histories/', import.meta.url);

const fileOf = ({ name }: { readonly name: string }): URL => new URL(`${name}.json`, FOLDER);
const lacking = Object.values(RECORDED_OUTCOMES).flat().filter((outcome) => !existsSync(fileOf(outcome)));

await findTemporalPrograms();
await mkdir(FOLDER, { recursive: true });
for (const longEvents of new Set(lacking.map((outcome) => outcome.longEvents))) {
  const server = await realServer(RECORDING_IDENTITY, longEvents === undefined ? {} : { dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': longEvents } });
  try {
    for (const outcome of lacking.filter((candidate) => candidate.longEvents === longEvents)) await writeFile(fileOf(outcome), await recordOutcome(server.env, outcome));
  } finally {
    await server.close();
  }
}
process.stdout.write(`${lacking.length} histories were recorded in test/replay/histories\n`);
