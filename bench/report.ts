import { section } from './markdown.ts';
import { renderReach } from './reach.ts';
import { renderManyRefunds, renderWorkerStart } from './report-growth.ts';
import { renderPayouts } from './report-payouts.ts';
import { renderUnits } from './report-units.ts';
import type { BenchFigures } from './run-bench.ts';

/** Writes the figures as Markdown: first how far the goals are reached, then what was measured. Pure. */
export function renderReport(figures: BenchFigures): string {
  const { options, start, units, orders, payouts } = figures;
  return [
    section('Reach', renderReach(figures)),
    units === null ? '' : renderUnits(units),
    orders === null ? '' : renderManyRefunds(orders),
    start === null ? '' : renderWorkerStart(start),
    payouts === null ? '' : renderPayouts(payouts, options),
  ].filter((part) => part !== '').join('\n\n');
}
