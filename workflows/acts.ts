import { isStorableText } from '../src/domain/text.ts';
import type { OperatorAct } from './messages.ts';

/** The longest actor, reason or provider's id an act may carry, UTF-16 units. */
export const MAX_ACT_TEXT = 250;

/** Whether an act says who acts and why (O2), whatever came over the wire. */
export function isCompleteAct(act: OperatorAct): boolean {
  return isStorableText(act?.actor, MAX_ACT_TEXT) && isStorableText(act.reason, MAX_ACT_TEXT);
}
