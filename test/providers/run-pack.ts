import { readdirSync } from 'node:fs';
import { startVitest } from 'vitest/node';

/** Runs the contract test pack of the providers named, or of all: `npm run test:provider -- gateway`. */
const known = readdirSync(new URL('.', import.meta.url)).flatMap((file) => (file.endsWith('.test.ts') ? [file.slice(0, -'.test.ts'.length)] : []));
const asked = process.argv.slice(2);
const strangers = asked.filter((name) => !known.includes(name));

if (strangers.length > 0) {
  process.stderr.write(`unknown provider: ${strangers.join(', ')}. Known are: ${known.toSorted().join(', ')}\n`);
  process.exitCode = 1;
} else {
  const files = (asked.length === 0 ? known : asked).map((name) => `test/providers/${name}.test.ts`);
  const vitest = await startVitest('test', files, { run: true, watch: false, project: ['in-process'] });
  await vitest.close();
}
