import { DEFAULT_CACHE } from './bench-options.ts';
import type { BenchOptions } from './bench-options.ts';
import { between, mebibytes, plot, section, spread, table, tenths, whole } from './markdown.ts';
import type { Row } from './markdown.ts';
import type { PairedFigures, WorkKind } from './new-work.ts';
import type { PayoutFigures, StageFigures } from './payouts.ts';
import { PROGRAMS, ROLES, STORES, sumOf } from './process-figures.ts';
import { renderCaches } from './report-caches.ts';
import { spreadOf } from './statistics.ts';
import type { StoreSizes, TableBytes } from './store-sizes.ts';
import { IDLE_SECONDS } from './waiting-costs.ts';

const LARGEST_TABLES = 4;
const SERVERS = ROLES.filter((role) => role !== 'client' && role !== 'bare worker');

/** Writes what payout orders cost while they wait: one table per question. Pure. */
export function renderPayouts(figures: PayoutFigures, options: BenchOptions): string {
  const { stages, repeatedRequests } = figures;
  return [
    section('What does a waiting payout order take in the stores?', table(storesTable(figures))),
    section('What is done while payout orders wait?', table(idleTable(figures))),
    section('Is new work hindered?', `${options.clients.at(-1) ?? 1} clients. Ratios are to the stack without waiting ones, in the same round.`, table(newWorkTable(stages)), growthPlot(stages)),
    section('What does a restart of the worker take?', table(restartTable(figures))),
    renderCaches(figures.caches),
    `Requests that had to be repeated: ${repeatedRequests.waiting} with waiting payout orders, ${repeatedRequests.control} without.`,
  ].filter((part) => part !== '').join('\n\n');
}

function storesTable({ stages, history }: PayoutFigures): readonly Row[] {
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

function idleTable({ stages, idle, residentBytes }: PayoutFigures): readonly Row[] {
  const row = (name: string, of: PayoutFigures['idle']['waiting'], bytes: number): Row => (
    [name, ...SERVERS.map((role) => tenths(of.cpuMsPerSecond[role])), String(of.providerCalls), String(of.commits), mebibytes(bytes)]
  );
  return [
    [`${IDLE_SECONDS} s without a request`, ...SERVERS.map((role) => `${role}, CPU ms/s`), 'provider calls', 'commits, autovacuum included', 'memory of the worker'],
    row(`${stages.at(-1)?.waiting ?? 0} waiting`, idle.waiting, residentBytes.waiting),
    row('none waiting', idle.control, residentBytes.control),
  ];
}

function newWorkTable(stages: readonly StageFigures[]): readonly Row[] {
  const kinds = [...new Set(stages.flatMap(({ newWork }) => newWork.map(({ kind }) => kind)))];
  return [
    ['New work', 'waiting', 'per second', 'ratio', 'p50, ms', 'p95, ms', `CPU ms each: ${SERVERS.join(' + ')}`, 'CPU ratio', 'memory of the worker', 'of the one without', 'failed'],
    ...kinds.flatMap((kind) => stages.map((stage) => newWorkRow(kind, stage))),
  ];
}

function newWorkRow(kind: WorkKind, { waiting, newWork, residentBytes }: StageFigures): Row {
  const own = newWork.filter((pair) => pair.kind === kind);
  const median = (figure: (pair: PairedFigures) => number): number => spreadOf(own.map(figure)).median;
  const cpu = SERVERS.map((role) => tenths(median((pair) => pair.waiting.cpuMs[role]))).join(' + ');
  const all = [...PROGRAMS, ...STORES];
  return [
    kind, String(waiting), spread(own.map((pair) => pair.waiting.perSecond), 1), between(throughputRatio(kind, newWork)), whole(median((pair) => pair.waiting.p50Ms)),
    whole(median((pair) => pair.waiting.p95Ms)), cpu, spread(own.map((pair) => sumOf(pair.waiting.cpuMs, all) / sumOf(pair.control.cpuMs, all))),
    mebibytes(residentBytes.waiting), mebibytes(residentBytes.control), String(own.reduce((sum, pair) => sum + pair.waiting.failures + pair.control.failures, 0)),
  ];
}

function throughputRatio(kind: WorkKind, pairs: readonly PairedFigures[]) {
  return spreadOf(pairs.filter((pair) => pair.kind === kind).map(({ waiting, control }) => waiting.perSecond / control.perSecond));
}

function growthPlot(stages: readonly StageFigures[]): string {
  return plot({
    title: 'Refunds per second, to none waiting', places: stages.map(({ waiting }) => `${waiting} waiting`), unit: 'ratio', kind: 'bar',
    series: [stages.map(({ newWork }) => throughputRatio('refund', newWork).median)],
  });
}

function restartTable({ stages, restart }: PayoutFigures): readonly Row[] {
  const row = (name: string, of: PayoutFigures['restart']['waiting']): Row => [name, of.readySeconds.toFixed(2), whole(of.cpuMs), mebibytes(of.residentBytes), String(of.providerCalls)];
  return [
    [`Cache of ${DEFAULT_CACHE}`, 'seconds until it polls', 'CPU of its start, ms', 'memory', 'provider calls'],
    row(`${stages.at(-1)?.waiting ?? 0} waiting`, restart.waiting), row('none waiting', restart.control),
  ];
}
