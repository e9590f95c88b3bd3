import { between, mebibytes, section, table, tenths, whole } from './markdown.ts';
import type { Row } from './markdown.ts';
import type { WorkKind } from './new-work.ts';
import { spreadOf } from './statistics.ts';
import { PLACES } from './sticky-cache.ts';
import type { CacheFigures } from './sticky-cache.ts';

const MIB = 1024 * 1024;
const SERVERS = ['api', 'worker', 'temporal', 'postgres'] as const;

/** Writes what the sticky caches come to; nothing when none was studied. Pure. */
export function renderCaches(caches: readonly CacheFigures[]): string {
  if (caches.length === 0) return '';
  return [
    section('What does a sticky cache cost, and what does it save?', table(cacheTable(caches)), furtherWorkflow(caches)),
    section('What does it take to wake one (cancel, one at a time)?', table(wakeTable(caches))),
  ].join('\n\n');
}

function cacheTable(caches: readonly CacheFigures[]): readonly Row[] {
  return [
    ['Cache', 'memory empty', 'full of waiting ones', 'MiB each', 'after new work', 'refunds, ratio', 'payout orders, ratio', 'burst, per second', 'burst, ratio', 'burst, worker CPU ms each'],
    ...caches.map(({ cache, restart, fullResidentBytes, afterwardsResidentBytes, newWork }) => {
      const ratio = (kind: WorkKind): string => between(spreadOf(newWork.filter((pair) => pair.kind === kind).map(({ waiting, control }) => waiting.perSecond / control.perSecond)));
      const burst = newWork.filter(({ kind }) => kind === 'burst of refunds').map(({ waiting }) => waiting);
      return [
        String(cache), mebibytes(restart.residentBytes), mebibytes(fullResidentBytes), ((fullResidentBytes - restart.residentBytes) / MIB / cache).toFixed(2), mebibytes(afterwardsResidentBytes),
        ratio('refund'), ratio('payout order'), tenths(spreadOf(burst.map(({ perSecond }) => perSecond)).median), ratio('burst of refunds'),
        tenths(spreadOf(burst.map(({ cpuMs }) => cpuMs.worker)).median),
      ];
    }),
  ];
}

/** What the comparison of the smallest and the largest cache says, which the worker's own ups and downs disturb least. */
function furtherWorkflow(caches: readonly CacheFigures[]): string {
  const sorted = caches.toSorted((left, right) => left.cache - right.cache);
  const [small, large] = [sorted[0], sorted.at(-1)];
  if (small === undefined || large === undefined || small === large) return 'One cache only: no comparison of memory.';
  const each = (large.fullResidentBytes - small.fullResidentBytes) / MIB / (large.cache - small.cache);
  return `Each further Workflow in the cache, from ${small.cache} to ${large.cache}: ${each.toFixed(2)} MiB.`;
}

function wakeTable(caches: readonly CacheFigures[]): readonly Row[] {
  return [
    ['Cache', 'its Workflow is', 'cancels', 'p50, ms', 'p95, ms', `CPU ms each: ${SERVERS.join(' + ')}`],
    ...caches.flatMap(({ cache, wakes }) => PLACES.map((place) => {
      const { cancels, p50Ms, p95Ms, cpuMs } = wakes[place];
      return [String(cache), place, String(cancels), whole(p50Ms), whole(p95Ms), SERVERS.map((role) => tenths(cpuMs[role])).join(' + ')];
    })),
  ];
}
