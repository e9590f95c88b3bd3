import type { LoopOptions, Operation } from './closed-loop.ts';
import type { OrderSupply } from './order-supply.ts';
import { needsOrder } from './unit-operations.ts';
import type { Unit } from './unit-operations.ts';
import { measureWindow } from './window.ts';
import type { Place, WindowFigures } from './window.ts';

/** How long clients ask at least before a window begins, milliseconds. */
const RAMP_MS = 1000;
const WARM_UP = { clients: 8, rampMs: 0, windowMs: 3000 } as const;
/** How many more operations a window may do than its like did before. */
const HEADROOM = 1.5;
const FIRST_ORDERS = 200;
/** How often a disturbed window is measured at most. */
const TRIES = 3;
const DISTURBED_CORES = 0.4;
/** Of each client: one before the window, one that the window waits for, one under way when it ends. */
const TURNS = 3;

/** Measures units of work in one place. Remembers how fast each was, so that there are paid orders enough for its next window. */
export class WindowBench<Known extends Unit> {
  readonly #place: Place;
  readonly #operations: Readonly<Record<Known, Operation>>;
  readonly #orders: OrderSupply;
  readonly #fastest = new Map<string, number>();

  constructor(place: Place, operations: Readonly<Record<Known, Operation>>, orders: OrderSupply) {
    this.#place = place;
    this.#operations = operations;
    this.#orders = orders;
  }

  /** The first operations of a process are slow: they are left out. */
  async warmUp(unit: Known): Promise<void> {
    if (needsOrder(unit)) await this.#orders.fill(FIRST_ORDERS);
    const { perSecond } = await measureWindow(this.#place, this.#operations[unit], WARM_UP);
    this.#fastest.set(unit, perSecond * HEADROOM);
  }

  /** Measures one window; again, and keeps the quietest, when others disturb the machine. What it needs (paid orders) is made before it begins. */
  async measure(unit: Known, load: { readonly clients: number; readonly seconds: number }): Promise<WindowFigures> {
    let quietest = await this.#measureOnce(unit, load);
    for (let tries = 1; tries < TRIES && isDisturbed(quietest); tries += 1) {
      const again = await this.#measureOnce(unit, load);
      if (again.otherCores < quietest.otherCores) quietest = again;
    }
    return quietest;
  }

  async #measureOnce(unit: Known, { clients, seconds }: { readonly clients: number; readonly seconds: number }): Promise<WindowFigures> {
    const load: LoopOptions = { clients, rampMs: RAMP_MS, windowMs: seconds * 1000 };
    const key = `${unit}/${clients}`;
    const expected = (this.#fastest.get(key) ?? this.#fastest.get(unit) ?? 0) * HEADROOM;
    if (needsOrder(unit)) await this.#orders.fill(Math.ceil((expected * (load.rampMs + load.windowMs)) / 1000) + TURNS * clients);
    const figures = await measureWindow(this.#place, this.#operations[unit], load);
    this.#fastest.set(key, Math.max(this.#fastest.get(key) ?? 0, figures.perSecond));
    return figures;
  }
}

/** Whether others took so much of the machine that the figures are theirs as well; what the kernel does for us is less. */
export function isDisturbed({ otherCores, stealCores }: WindowFigures): boolean {
  return otherCores + stealCores > DISTURBED_CORES;
}
