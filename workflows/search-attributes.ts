import { defineSearchAttributeKey } from '@temporalio/common';

/**
 * The search attributes of PRODUCT A6. They are for people who look, lag behind and are never encrypted: no personal
 * data in them, and nothing is ever decided from them.
 */
export const SEARCH_ATTRIBUTES = {
  status: defineSearchAttributeKey('ReintegroStatus', 'KEYWORD'),
  provider: defineSearchAttributeKey('ReintegroProvider', 'KEYWORD'),
  merchant: defineSearchAttributeKey('ReintegroMerchant', 'KEYWORD'),
  order: defineSearchAttributeKey('ReintegroOrder', 'KEYWORD'),
  amount: defineSearchAttributeKey('ReintegroAmount', 'INT'),
  currency: defineSearchAttributeKey('ReintegroCurrency', 'KEYWORD'),
  needsAttention: defineSearchAttributeKey('ReintegroNeedsAttention', 'BOOL'),
} as const;
