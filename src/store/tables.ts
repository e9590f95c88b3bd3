import type { ColumnType, Generated } from 'kysely';
import type { PayoutOrdersTable } from './payout-orders/table.ts';
import type { CaseKind } from '../domain/case.ts';
import type { Checkpoint } from '../domain/checkpoint.ts';
import type { LegStatus } from '../domain/leg.ts';
import type { RefundDetails } from '../domain/refund-details.ts';
import type { RefundReceipt } from '../domain/refund-receipt.ts';
import type { RefundStatus } from '../domain/refund-status.ts';

/** A JSON document: read as a value, written as JSON text. */
type Json<T = Record<string, unknown>> = ColumnType<T, string, string>;
type CreatedAt = Generated<Date>;

/** A tenant. */
export interface MerchantsTable {
  merchant_id: string;
  name: string;
  provider: string;
  /** Refunds of at least this amount need a second person; `null`: none does (R3). */
  review_threshold_minor: Generated<number | null>;
  review_expiry_ms: Generated<number>;
  require_payer_confirmation: Generated<boolean>;
  payer_confirmation_expiry_ms: Generated<number>;
  cancellation_window_ms: Generated<number>;
  created_at: CreatedAt;
}

/** API keys, stored as SHA-256 of the whole key; `key_prefix` is what people recognise one by. */
export interface ApiKeysTable {
  key_hash: string;
  key_prefix: string;
  merchant_id: string;
  scopes: string[];
  expires_at: Date | null;
  revoked_at: Date | null;
  created_at: CreatedAt;
}

/** What was paid, as the provider last told it, without its charges. */
export interface OrdersTable {
  merchant_id: string;
  order_id: string;
  provider: string;
  currency: string;
  raw: Json;
  read_at: Date;
}

/** A charge: the row that a reservation locks (M3). Amounts in minor units. */
export interface ChargesTable {
  merchant_id: string;
  charge_id: string;
  order_id: string;
  position: number;
  currency: string;
  captured_minor: number;
  held_minor: Generated<number>;
  external_minor: Generated<number>;
  disputed_minor: Generated<number>;
  paid: boolean;
  provider_status: string;
  raw: Json;
  /** The leg that may be between sent and known (S5). */
  gate_leg_id: string | null;
  updated_at: Date;
}

/** One request to give money back. */
export interface RefundsTable {
  merchant_id: string;
  refund_id: string;
  /** Where the order was paid. */
  provider: Generated<string>;
  order_id: string;
  charge_id: string | null;
  amount_minor: number | null;
  currency: string | null;
  reason: string | null;
  status: RefundStatus;
  status_detail: string;
  needs_attention: Generated<boolean>;
  requested_by: string;
  workflow_id: string;
  /** The stops before the send, as they were decided at the reservation. */
  checkpoints: Json<Checkpoint[]>;
  /** What the caller said of it beside its money. */
  details: ColumnType<RefundDetails, string | undefined, string>;
  created_at: CreatedAt;
  updated_at: Generated<Date>;
}

/** The part of a refund that concerns one charge. */
export interface LegsTable {
  leg_id: string;
  merchant_id: string;
  refund_id: string;
  order_id: string;
  charge_id: string;
  amount_minor: number;
  currency: string;
  status: LegStatus;
  /** The place in the line for the charge's gate, given out inside the charge's lock once the leg is ready to be sent (S5). */
  ticket: number | null;
  send_number: Generated<number>;
  /** Sends up to this number were given up and may no longer start. */
  fenced_send: Generated<number>;
  sent_at: Date | null;
  /** When the call of a send of unknown outcome ended: the settle delay counts from here. */
  call_ended_at: Date | null;
  /** Ids of the charge's refunds before the send (S5). */
  refunds_before: Json<string[]>;
  provider_refund_id: string | null;
  refusal: string | null;
  /** What the provider last told of it. */
  receipt: ColumnType<RefundReceipt | null, string | null | undefined, string | null>;
  workflow_id: string;
  created_at: CreatedAt;
  updated_at: Generated<Date>;
}

/** Every change of status and every act of a person: append-only (O3). */
export interface TransitionsTable {
  transition_id: Generated<number>;
  merchant_id: string;
  subject: 'refund' | 'payout_order';
  subject_id: string;
  from_status: string | null;
  to_status: string;
  status_detail: string;
  actor: string;
  reason: string | null;
  workflow_id: string;
  run_id: string;
  at: CreatedAt;
}

/** What moved: append-only, one row per leg or payout order and kind (M7). Positive minor units. */
export interface MoneyMovementsTable {
  movement_id: Generated<number>;
  merchant_id: string;
  kind: 'refund' | 'refund_failed' | 'withdrawal';
  leg_id: string | null;
  payout_order_id: string | null;
  charge_id: string | null;
  amount_minor: number;
  currency: string;
  provider_id: string | null;
  at: CreatedAt;
}

/** One event per transition, written with it (I6). */
export interface EventsTable {
  event_id: string;
  transition_id: number;
  merchant_id: string;
  type: string;
  subject: string;
  subject_id: string;
  created_at: CreatedAt;
}

/** Which request a key stands for, kept 13 months (R8). */
export interface IdempotencyKeysTable {
  merchant_id: string;
  operation: string;
  idempotency_key: string;
  fingerprint: string;
  resource_id: string;
  created_at: CreatedAt;
  expires_at: Date;
}

/** Matters that a human must decide (O1). */
export interface CasesTable {
  case_id: Generated<number>;
  merchant_id: string;
  kind: CaseKind;
  refund_id: string | null;
  payout_order_id: string | null;
  leg_id: string | null;
  amount_minor: number | null;
  currency: string | null;
  status: Generated<'open' | 'resolved'>;
  opened_at: CreatedAt;
  resolved_at: Date | null;
  /** What became of it, by whom and why. */
  resolution: string | null;
  resolved_by: string | null;
  resolution_reason: string | null;
}

/** Provider webhooks already taken in (A8). */
export interface ProviderEventsTable {
  provider: string;
  provider_event_id: string;
  received_at: CreatedAt;
}

/** Charges that passed by in orders, by which they can be found again. */
export interface KnownChargesTable {
  merchant_id: string;
  charge_id: string;
  provider: string;
  order_id: string;
  currency: string;
}

/** The whole database. */
export interface Tables {
  merchants: MerchantsTable;
  api_keys: ApiKeysTable;
  orders: OrdersTable;
  charges: ChargesTable;
  known_charges: KnownChargesTable;
  refunds: RefundsTable;
  legs: LegsTable;
  payout_orders: PayoutOrdersTable;
  transitions: TransitionsTable;
  money_movements: MoneyMovementsTable;
  events: EventsTable;
  idempotency_keys: IdempotencyKeysTable;
  cases: CasesTable;
  provider_events: ProviderEventsTable;
}
