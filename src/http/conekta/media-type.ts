/** The content type of every answer in the dialect (CONTRACT §1). */
export const CONEKTA_MEDIA_TYPE = 'application/vnd.conekta-v2.3.0+json';
