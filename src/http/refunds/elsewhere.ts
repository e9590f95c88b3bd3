import type { KeyHolder } from '../../store/merchants.ts';

/** A provider as a refund names it: not at all where it is the merchant's own, so that every way to ask for a refund asks for the same one (R8). */
export function elsewhere(caller: KeyHolder, provider: string): string | undefined {
  return caller.provider === provider ? undefined : provider;
}
