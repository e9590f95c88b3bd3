import { inParallel } from './in-parallel.ts';
import type { MerchantBackend } from './merchant-backend.ts';

const MAKERS = 8;

/** Orders that were paid and not refunded yet. */
export class OrderSupply {
  readonly #merchant: MerchantBackend;
  readonly #orders: string[] = [];

  constructor(merchant: MerchantBackend) {
    this.#merchant = merchant;
  }

  /** Has orders paid until there are so many. */
  async fill(count: number): Promise<void> {
    this.#orders.push(...(await inParallel(Math.max(0, count - this.#orders.length), MAKERS, () => this.#merchant.createOrder())));
  }

  /** One of them; `null` when there are none left. */
  take(): string | null {
    return this.#orders.shift() ?? null;
  }
}
