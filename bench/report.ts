import { DEFAULT_CACHE } from './bench-options.ts';
import type { PairedFigures, WorkKind } from './new-work.ts';
import { ROLES, sumOf } from './process-figures.ts';
import type { PerRole } from './process-figures.ts';
import type { BenchFigures, StageFigures } from './run-bench.ts';
import { spreadOf } from './statistics.ts';
import type { Spread } from './statistics.ts';
import { PLACES } from './sticky-cache.ts';
import type { CacheFigures } from './sticky-cache.ts';
import type { StoreSizes, TableBytes } from './store-sizes.ts';

type Row = readonly string[];

const MIB = 1024 * 1024;
const LARGEST_TABLES = 4;

const whole = (value: number): string => value.toFixed(0);
const tenths = (value: number): string => value.toFixed(1);
const mebibytes = (bytes: number): string => `${whole(bytes / MIB)} MiB`;
const between = ({ median, min, max }: Spread): string => `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
const parts = (figures: PerRole): string => ROLES.map((role) => tenths(figures[role])).join(' + ');

/** Writes the figures as Markdown: one table per question. Pure. */
export function renderReport(figures: BenchFigures): string {
  return [
    section('What does a waiting payout order take in the stores?', storesTable(figures)),
    section('What is done while they wait?', idleTable(figures)),
    section('Is new work hindered?', newWorkTable(figures.stages)),
    section('What does a restart of the worker take?', restartTable(figures)),
    section('What does a sticky cache cost, and what does it save?', cacheTable(figures.caches)),
    furtherWorkflow(figures.caches),
    section('What does it take to wake one (cancel, one at a time)?', wakeTable(figures.caches)),
    `Requests that had to be repeated: ${figures.repeatedRequests.waiting} with waiting payout orders, ${figures.repeatedRequests.control} without. `
      + `Provider calls per operation: ${tenths(figures.providerCallsPerOperation)}.`,
  ].join('\n\n');
}

function section(title: string, rows: readonly Row[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: Row): string => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const ruler = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  const [header = [], ...body] = rows;
  return [`### ${title}`, '', line(header), ruler, ...body.map(line)].join('\n');
}

function storesTable({ stages, history }: BenchFigures): readonly Row[] {
  const grown = stages.flatMap(({ waiting, createdPerSecond, added }) => (added === null || createdPerSecond === null ? [] : [{ waiting, createdPerSecond, added }]));
  const row = (name: string, figure: (added: StoreSizes) => string): Row => [name, ...grown.map(({ added }) => figure(added))];
  return [
    ['Of each one created', ...grown.map(({ waiting }) => `up to ${waiting}`)],
    row('our PostgreSQL, bytes in tables and indexes', (added) => whole(Object.values(added.postgresTables).reduce((sum, bytes) => sum + bytes, 0))),
    row('– growth of the database', (added) => whole(added.postgresBytes)),
    row('– of that, by table', (added) => largest(added.postgresTables)),
    row("Temporal's SQLite, bytes in use", (added) => whole(added.temporalBytes)),
    row('– growth of the file', (added) => whole(added.temporalFileBytes)),
    row('– of that, by table', (added) => largest(added.temporalTables)),
    ['history, events', ...grown.map(() => whole(history.events.median))],
    ['history, bytes', ...grown.map(() => whole(history.bytes.median))],
    ['created per second', ...grown.map(({ createdPerSecond }) => tenths(createdPerSecond))],
  ];
}

function largest(tables: TableBytes): string {
  const sorted = Object.entries(tables).toSorted(([, left], [, right]) => right - left).slice(0, LARGEST_TABLES);
  return sorted.map(([name, bytes]) => `${name} ${whole(bytes)}`).join(', ');
}

function idleTable({ idle, residentBytes, options }: BenchFigures): readonly Row[] {
  const row = (name: string, of: BenchFigures['idle']['waiting'], bytes: number): Row => (
    [name, ...ROLES.map((role) => tenths(of.cpuMsPerSecond[role])), String(of.providerCalls), String(of.commits), mebibytes(bytes)]
  );
  return [
    [`${options.idleSeconds} s without a request`, ...ROLES.map((role) => `${role}, CPU ms/s`), 'provider calls', 'commits, autovacuum included', 'memory of the worker'],
    row(`${options.payouts} waiting`, idle.waiting, residentBytes.waiting),
    row('none waiting', idle.control, residentBytes.control),
  ];
}

function newWorkTable(stages: readonly StageFigures[]): readonly Row[] {
  const kinds = [...new Set(stages.flatMap(({ newWork }) => newWork.map(({ waiting }) => waiting.kind)))];
  return [
    ['New work', 'waiting', 'per second', 'ratio to none waiting', 'p50, ms', 'p95, ms', `CPU ms each: ${ROLES.join(' + ')}`, 'CPU ratio'],
    ...kinds.flatMap((kind) => stages.map(({ waiting, newWork }) => newWorkRow(kind, String(waiting), newWork))),
  ];
}

function newWorkRow(kind: WorkKind, waiting: string, pairs: readonly PairedFigures[]): Row {
  const own = pairs.filter((pair) => pair.waiting.kind === kind);
  const median = (figure: (pair: PairedFigures) => number): number => spreadOf(own.map(figure)).median;
  const cpu = ROLES.map((role) => tenths(median((pair) => pair.waiting.cpuMs[role]))).join(' + ');
  return [
    kind, waiting, tenths(median((pair) => pair.waiting.perSecond)), throughputRatio(kind, pairs), whole(median((pair) => pair.waiting.p50Ms)), whole(median((pair) => pair.waiting.p95Ms)),
    cpu, between(spreadOf(own.map((pair) => sumOf(pair.waiting.cpuMs) / sumOf(pair.control.cpuMs)))),
  ];
}

function throughputRatio(kind: WorkKind, pairs: readonly PairedFigures[]): string {
  return between(spreadOf(pairs.filter((pair) => pair.waiting.kind === kind).map((pair) => pair.waiting.perSecond / pair.control.perSecond)));
}

function restartTable({ restart, options }: BenchFigures): readonly Row[] {
  const row = (name: string, of: BenchFigures['restart']['waiting']): Row => [name, tenths(of.readySeconds), whole(of.cpuMs), mebibytes(of.residentBytes), String(of.providerCalls)];
  return [
    [`Cache of ${DEFAULT_CACHE}`, 'seconds until it polls', 'CPU of its start, ms', 'memory', 'provider calls'],
    row(`${options.payouts} waiting`, restart.waiting), row('none waiting', restart.control),
  ];
}

function cacheTable(caches: readonly CacheFigures[]): readonly Row[] {
  return [
    ['Cache', 'memory empty', 'full of waiting ones', 'MiB each', 'after new work', 'refunds, ratio', 'payout orders, ratio', 'burst, per second', 'burst, ratio', 'burst, worker CPU ms each'],
    ...caches.map(({ cache, restart, fullResidentBytes, afterwardsResidentBytes, newWork }) => {
      const burst = newWork.filter(({ waiting }) => waiting.kind === 'burst of refunds').map(({ waiting }) => waiting);
      return [
        String(cache), mebibytes(restart.residentBytes), mebibytes(fullResidentBytes), ((fullResidentBytes - restart.residentBytes) / MIB / cache).toFixed(2), mebibytes(afterwardsResidentBytes),
        throughputRatio('refund', newWork), throughputRatio('payout order', newWork), tenths(spreadOf(burst.map(({ perSecond }) => perSecond)).median), throughputRatio('burst of refunds', newWork),
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
    ['Cache', 'its Workflow is', 'cancels', 'p50, ms', 'p95, ms', `CPU ms each: ${ROLES.join(' + ')}`],
    ...caches.flatMap(({ cache, wakes }) => PLACES.map((place) => {
      const { cancels, p50Ms, p95Ms, cpuMs } = wakes[place];
      return [String(cache), place, String(cancels), whole(p50Ms), whole(p95Ms), parts(cpuMs)];
    })),
  ];
}
