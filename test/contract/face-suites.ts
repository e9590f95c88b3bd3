import { describe, expect } from 'vitest';
import { FACE_NAMES, refundFace } from '../support/refund-faces.ts';
import type { FaceName, Paid, RefundFace } from '../support/refund-faces.ts';
import type { ContractScene } from './contract-scene.ts';

/** A suite over one face: what it is called, the product, and a merchant that speaks to it, the demo merchant unless the key says otherwise. */
export type FaceSuite = (name: FaceName, scene: () => ContractScene, face: (key?: 'key_demo' | 'key_demo_two') => RefundFace) => void;

/** Runs suites over every face, from one source. */
export function overEachFace(scene: () => ContractScene, suites: readonly FaceSuite[]): void {
  for (const name of FACE_NAMES) {
    const face = (key: 'key_demo' | 'key_demo_two' = 'key_demo'): RefundFace => refundFace(name, { ...scene().product, key });
    describe(`a refund over the face of ${name}`, () => {
      for (const suite of suites) suite(name, scene, face);
    });
  }
}

/** Expects the journal and the books to hold the same movements, in whatever order they were booked. Minor units. */
export async function expectMoved(scene: ContractScene, { chargeId, currency }: Paid, amountsMinor: readonly number[]): Promise<void> {
  const expected = amountsMinor.map((amount) => `refund ${amount} ${currency}`).toSorted();
  for (const movements of [await scene.journal(`?charge_id=${chargeId}`), await scene.books(`?charge_id=${chargeId}`)]) {
    expect(movements.map(({ kind, amount, currency: moved }) => `${kind} ${amount} ${moved}`).toSorted()).toEqual(expected);
  }
}
