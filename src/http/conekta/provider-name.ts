/** The provider that the Conekta face is about: orders at other providers are unknown there. */
export const PROVIDER = 'conekta';
