import { ORDERS_AT_ONCE } from './many-refunds.ts';
import type { StretchFigures } from './many-refunds.ts';
import { between, plot, section, spread, table } from './markdown.ts';
import type { Row } from './markdown.ts';
import { PROGRAMS, STORES, sumOf } from './process-figures.ts';
import { joined, spreadOf } from './statistics.ts';
import type { WorkerStart, WorkerStartFigures } from './worker-start.ts';

const cpuOf = ({ cpuMs }: StretchFigures): number => sumOf(cpuMs, [...PROGRAMS, ...STORES]);

/** Writes what a refund costs that is not the first one of its order. Pure. */
export function renderManyRefunds(figures: readonly StretchFigures[]): string {
  const most = Math.max(...figures.map(({ perOrder }) => perOrder));
  const places = stretchesOf(figures, most);
  const byPlace = (figure: (stretch: StretchFigures) => number): readonly number[] => places.map((own) => spreadOf(own.map(figure)).median);
  const labels = places.map(([one]) => placeOf(one));
  return section('Many refunds on one order',
    `${ORDERS_AT_ONCE} orders at once, the refunds of each one after the other. Ratios are to orders with one refund in the same round.`,
    table([
      ['Refunds on the order', 'these', 'per second', 'p50, ms', 'ratio', 'p95, ms', 'CPU of programs and stores, ms', 'ratio', 'history, bytes', 'failed'],
      ...[...new Set(figures.map(({ perOrder }) => perOrder))].toSorted((left, right) => left - right).flatMap((perOrder) => ends(stretchesOf(figures, perOrder)).map((own) => stretchRow(figures, own))),
    ]),
    plot({ title: `Median time of a refund, ${most} on one order`, places: labels, unit: 'milliseconds', kind: 'line', series: [byPlace(({ p50Ms }) => p50Ms)] }),
    plot({ title: `CPU of a refund, ${most} on one order`, places: labels, unit: 'milliseconds', kind: 'line', series: [byPlace(cpuOf)] }),
  );
}

/** The same tenth of the way in every round, from the first tenth to the last. */
function stretchesOf(figures: readonly StretchFigures[], perOrder: number): readonly (readonly StretchFigures[])[] {
  const own = figures.filter((stretch) => stretch.perOrder === perOrder);
  return [...new Set(own.map(({ from }) => from))].toSorted((left, right) => left - right).map((from) => own.filter((stretch) => stretch.from === from));
}

function ends<T>(values: readonly T[]): readonly T[] {
  return values.filter((_, index) => index === 0 || index === values.length - 1);
}

function placeOf(stretch: StretchFigures | undefined): string {
  if (stretch === undefined) return '';
  return stretch.from === stretch.to ? String(stretch.from) : `${stretch.from}–${stretch.to}`;
}

function stretchRow(figures: readonly StretchFigures[], own: readonly StretchFigures[]): Row {
  const ratio = (figure: (stretch: StretchFigures) => number): string => spread(own.flatMap((stretch) => {
    const only = figures.find(({ perOrder, round }) => perOrder === 1 && round === stretch.round);
    return only === undefined ? [] : [figure(stretch) / figure(only)];
  }));
  return [
    String(own[0]?.perOrder ?? ''), placeOf(own[0]), spread(own.map(({ perSecond }) => perSecond), 1), spread(own.map(({ p50Ms }) => p50Ms), 0), ratio(({ p50Ms }) => p50Ms),
    spread(own.map(({ p95Ms }) => p95Ms), 0), spread(own.map(cpuOf), 1), ratio(cpuOf), between(joined(own.map(({ historyBytes }) => historyBytes)), 0),
    String(own.reduce((sum, { failures }) => sum + failures, 0)),
  ];
}

/** Writes how long a worker takes to begin. Pure. */
export function renderWorkerStart({ shipped, fromSources }: WorkerStartFigures): string {
  const row = (name: string, starts: readonly WorkerStart[]): Row => (
    [name, String(starts.length), spread(starts.map(({ readySeconds }) => readySeconds)), spread(starts.map(({ cpuMs }) => cpuMs), 0)]
  );
  return section('How long does a worker take to begin?', table([
    ['Worker', 'starts', 'seconds until it polls', 'CPU by then, ms'],
    row('as it is shipped: compiled, its Workflow bundle built before', shipped),
    row('from sources, its Workflow bundle kept from an earlier start', fromSources),
  ]));
}
