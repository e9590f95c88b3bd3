/** The content type of every answer in the gateway dialect. */
export const GATEWAY_MEDIA_TYPE = 'application/json; charset=utf-8';
