import { spreadOf } from './statistics.ts';
import type { Spread } from './statistics.ts';
import { UNITS } from './unit-operations.ts';
import type { Unit } from './unit-operations.ts';
import type { UnitWindow } from './units.ts';

/** The windows of one unit at one number of clients, by round. */
export function windowsOf(windows: readonly UnitWindow[], unit: Unit, clients: number): readonly UnitWindow[] {
  return windows.filter((window) => window.unit === unit && window.clients === clients);
}

/**
 * How a figure of a unit stands to that of the bare Workflow in the same round with as many clients: what disturbs the machine during a round
 * disturbs both. `null` when there is nothing to compare with.
 */
export function ratioToBare(windows: readonly UnitWindow[], unit: Unit, clients: number, figure: (window: UnitWindow) => number): Spread | null {
  const ratios = windowsOf(windows, unit, clients).flatMap((window) => {
    const bare = windowsOf(windows, UNITS[0], clients).find(({ round }) => round === window.round);
    const base = bare === undefined ? 0 : figure(bare);
    return base === 0 ? [] : [figure(window) / base];
  });
  return ratios.length === 0 ? null : spreadOf(ratios);
}
