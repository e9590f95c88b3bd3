/** The provider that the gateway face is about. */
export const PROVIDER = 'gateway';
