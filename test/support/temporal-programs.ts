/** The Temporal server program that the global setup found. */
export function temporalCliPath(): string {
  return required('TEMPORAL_CLI_PATH');
}

/** The time-skipping test server that the global setup found. */
export function temporalTestServerPath(): string {
  return required('TEMPORAL_TEST_SERVER_PATH');
}

function required(variable: string): string {
  const value = process.env[variable];
  if (value === undefined || value === '') throw new Error(`${variable} is not set: run the tests by vitest, whose global setup sets it.`);
  return value;
}
