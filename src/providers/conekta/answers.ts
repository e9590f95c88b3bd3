import { createAnswerReader } from '../wire/answers.ts';
import { conektaErrorSchema } from './schemas.ts';

/** What Conekta is called in failures. */
export const LABEL = 'Conekta';

/** Reads Conekta's answers (CONTRACT §5, §6). */
export const conektaAnswers = createAnswerReader({
  label: LABEL,
  refusals: new Set([400, 402, 404, 409, 422, 428]),
  errorCode(json) {
    const error = conektaErrorSchema.safeParse(json);
    return error.success ? error.data.details[0].code : null;
  },
  // By the code alone: CONTRACT §5 leaves the status open (402, 422 or 428).
  nothingLeft: [
    // Seed 002: a charge of the order is not returnable.
    /^conekta\.errors\.precondition_required\.combo\.order\.is_not_returnable$/,
    // Parameter errors (CONTRACT §6) on `amount`, which leaves as a positive integer: all that can be wrong with it is its size.
    /^conekta\.errors\.parameter_validation\.amount\./,
  ],
  isNotFound: () => true,
  parse: (text) => JSON.parse(text) as unknown,
});
