/** The version of this program, as providers and the Temporal server are told it. The package's; a test compares the two. */
export const PRODUCT_VERSION = '0.1.0';
