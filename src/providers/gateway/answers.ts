import { parseExactJson } from '../../domain/decimal.ts';
import { createAnswerReader } from '../wire/answers.ts';
import { gatewayErrorSchema } from './schemas.ts';

/** What the gateway is called in failures. */
export const LABEL = 'Gateway';

/** Reads the gateway's answers (docs/gateway-dialect.md); numbers keep their text. */
export const gatewayAnswers = createAnswerReader({
  label: LABEL,
  refusals: new Set([400, 402, 404, 409, 422, 428]),
  errorCode(json) {
    const error = gatewayErrorSchema.safeParse(json);
    return error.success ? error.data.details[0].code : null;
  },
  nothingLeft: [
    // Unpaid, contested, or nothing left.
    /^gateway\.errors\.precondition_required\.payment\.is_not_refundable$/,
    // An amount leaves as a decimal above zero: all that can be wrong with it is its size.
    /^gateway\.errors\.parameter_validation\.amount\./,
  ],
  // A refund that is "not found" may be sent again, so a mistaken address must not look like one.
  isNotFound: (code) => code === 'gateway.errors.resource_not_found.entity',
  parse: parseExactJson,
});
