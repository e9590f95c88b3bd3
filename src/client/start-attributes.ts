import { TypedSearchAttributes } from '@temporalio/common';
import type { SearchAttributePair } from '@temporalio/common';
import type { Money } from '../domain/money.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/search-attributes.ts';

/** The search attributes a Workflow starts with (A6); the money where it is known. */
export function startAttributes(status: string, merchantId: string, money: Money | undefined, more: SearchAttributePair[]): TypedSearchAttributes {
  return new TypedSearchAttributes([
    { key: SEARCH_ATTRIBUTES.status, value: status }, { key: SEARCH_ATTRIBUTES.merchant, value: merchantId }, { key: SEARCH_ATTRIBUTES.needsAttention, value: false },
    ...(money === undefined ? [] : [{ key: SEARCH_ATTRIBUTES.amount, value: money.amountMinor }, { key: SEARCH_ATTRIBUTES.currency, value: money.currency }]),
    ...more,
  ]);
}
