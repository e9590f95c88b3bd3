import type { PayoutOrderStatus } from '../domain/payout-order.ts';
import { listCases, openCase } from '../store/cases.ts';
import type { NewCase } from '../store/cases.ts';
import type { Database } from '../store/database.ts';
import { findKey } from '../store/idempotency.ts';
import { findCharge, rememberCharges } from '../store/known-charges.ts';
import type { ChargePlace } from '../store/known-charges.ts';
import { findKeyHolder } from '../store/merchants.ts';
import { listMovements } from '../store/movements.ts';
import { readOrder } from '../store/orders.ts';
import { findByProviderId, listPayoutOrders, readPayoutOrder } from '../store/payout-orders/read.ts';
import type { PayoutOrderListing } from '../store/payout-orders/read.ts';
import { readRecordedRequest } from '../store/payout-orders/register.ts';
import { endedAfter, hasPassed, rememberTakenIn, wasTakenIn } from '../store/provider-events.ts';
import { refundOfCharge } from '../store/refunds/of-charge.ts';
import { acceptedLegsOfOrder, findRefundOfOrder, readRefund } from '../store/refunds/read.ts';

/** Thrown when the database did not answer: the request may be repeated. */
export class RecordsUnavailableError extends Error {
  override readonly name = 'RecordsUnavailableError';
}

/** The records as the API uses them. */
export type Records = ReturnType<typeof createRecords>;

/** Binds the repositories to a database; whatever it throws becomes {@link RecordsUnavailableError}, so that no caller has to tell failures apart. */
export function createRecords(db: Database) {
  return {
    findKeyHolder: (keyHash: string) => guarded(() => findKeyHolder(db, keyHash)),
    findKey: (merchantId: string, operation: string, key: string) => guarded(() => findKey(db, merchantId, operation, key)),
    readOrder: (merchantId: string, provider: string, orderId: string) => guarded(() => readOrder(db, merchantId, provider, orderId)),
    readRefund: (merchantId: string, refundId: string) => guarded(() => readRefund(db, merchantId, refundId)),
    findRefundOfOrder: (merchantId: string, provider: string, orderId: string, id: string) => guarded(() => findRefundOfOrder(db, merchantId, provider, orderId, id)),
    findCharge: (merchantId: string, chargeId: string) => guarded(() => findCharge(db, merchantId, chargeId)),
    rememberCharges: (merchantId: string, place: ChargePlace, chargeIds: readonly string[]) => guarded(() => rememberCharges(db, merchantId, place, chargeIds)),
    refundOfCharge: (merchantId: string, chargeId: string, sought: Parameters<typeof refundOfCharge>[3]) => guarded(() => refundOfCharge(db, merchantId, chargeId, sought)),
    acceptedLegsOfOrder: (provider: string, orderId: string) => guarded(() => acceptedLegsOfOrder(db, provider, orderId)),
    readPayoutOrder: (merchantId: string, id: string) => guarded(() => readPayoutOrder(db, merchantId, id)),
    readRecordedRequest: (merchantId: string, id: string) => guarded(() => readRecordedRequest(db, merchantId, id)),
    listPayoutOrders: (merchantId: string, listing: PayoutOrderListing) => guarded(() => listPayoutOrders(db, merchantId, listing)),
    findByProviderId: (provider: string, providerId: string, ourId: string | null) => guarded(() => findByProviderId(db, provider, providerId, ourId)),
    listMovements: (merchantId: string, of: Parameters<typeof listMovements>[2]) => guarded(() => listMovements(db, merchantId, of)),
    wasTakenIn: (provider: string, eventId: string) => guarded(() => wasTakenIn(db, provider, eventId)),
    hasPassed: (merchantId: string, payoutOrderId: string, status: PayoutOrderStatus) => guarded(() => hasPassed(db, merchantId, payoutOrderId, status)),
    endedAfter: (merchantId: string, payoutOrderId: string, at: Date) => guarded(() => endedAfter(db, merchantId, payoutOrderId, at)),
    listCases: (merchantId: string, of: Parameters<typeof listCases>[2]) => guarded(() => listCases(db, merchantId, of)),
    openCase: (matter: NewCase) => guarded(() => openCase(db, matter)),
    rememberTakenIn: (provider: string, eventId: string) => guarded(() => rememberTakenIn(db, provider, eventId)),
  };
}

async function guarded<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new RecordsUnavailableError('the database did not answer', { cause: error });
  }
}
