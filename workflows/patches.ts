import { patched } from '@temporalio/workflow';

/**
 * Changes of Workflow code that histories of earlier versions do not know. One named predicate per change, asked only where the ways
 * part, so that an ordinary run carries no marker. A predicate may go when the date it names is past: by then no Workflow begun
 * before it is open (payout orders live as long as their reference, which callers choose).
 */

/** Since 2026-11: a fact that the provider does not show yet is looked for again (P6). May go when no payout order begun before is open. */
export function looksForClaimsAgain(): boolean {
  return patched('payout-order-looks-for-claims-again');
}

/** Since 2026-11: a fact wakes a payout order whose reference is being looked for (P1). May go when no payout order begun before is open. */
export function looksOnFactsWhileIssuing(): boolean {
  return patched('payout-order-looks-on-facts-while-issuing');
}

/** Since 2026-11: a fact that comes while nobody takes a void is followed before the void is asked for again (P2). May go when no payout order begun before is open. */
export function followsFactsDuringVoids(): boolean {
  return patched('payout-order-follows-facts-during-voids');
}

/** Since 2026-11: a fact that the end does not contain is not passed over by a Workflow that ends (P6). May go when no payout order begun before is open. */
export function answersForLastFacts(): boolean {
  return patched('payout-order-answers-for-last-facts');
}

/** Since 2026-11: a long history is begun anew (P8). May go when no payout order begun before is open. */
export function beginsAnew(): boolean {
  return patched('payout-order-begins-anew');
}

/** Since 2026-11: a fact that was heard while the reference was being looked for is asked about once it is found (P6). May go when no payout order begun before is open. */
export function followsFactsHeardWhileIssuing(): boolean {
  return patched('payout-order-follows-facts-heard-while-issuing');
}
