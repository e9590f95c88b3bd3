import type { ColumnType, Generated } from 'kysely';
import type { PayoutOrderStatus } from '../../domain/payout-order.ts';

/** One cash reference a person can withdraw. */
export interface PayoutOrdersTable {
  merchant_id: string;
  payout_order_id: string;
  provider: string;
  provider_payout_order_id: string | null;
  payout_id: string;
  amount_minor: number;
  currency: string;
  allowed_payout_methods: string[];
  payout_method_type: string;
  customer_id: string;
  reason: string;
  expires_at: Date;
  metadata: ColumnType<Record<string, unknown>, string, string>;
  status: PayoutOrderStatus;
  status_detail: string;
  needs_attention: Generated<boolean>;
  send_number: Generated<number>;
  fenced_send: Generated<number>;
  /** Set while a call for the reference may be under way. */
  sent_at: Date | null;
  /** When the call of a send of unknown outcome ended: the settle delay counts from here. */
  call_ended_at: Date | null;
  requested_by: string;
  workflow_id: string;
  sequence: Generated<number>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}
