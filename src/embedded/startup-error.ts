/** Thrown when the embedded stack cannot start for a reason its user can mend; the message says what to do and needs no stack trace. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}
