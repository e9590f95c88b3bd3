const PAGE_URL = /("(?:next|previous)_page_url"\s*:\s*)("[^"\\]*(?:\\.[^"\\]*)*")/g;

/**
 * Rewrites the page addresses in a provider's JSON so that they lead to us; every other byte stays as it is. `providerBase` may
 * have a path of its own, which is left out. What is no address is left alone.
 */
export function rewritePageUrls(json: string, providerBase: string, ourBase: string): string {
  const prefix = new URL(providerBase).pathname.replace(/\/+$/, '');
  return json.replace(PAGE_URL, (whole: string, name: string, literal: string) => {
    const url = URL.parse(unquoted(literal));
    if (url === null) return whole;
    const path = url.pathname.startsWith(`${prefix}/`) ? url.pathname.slice(prefix.length) : url.pathname;
    return `${name}${JSON.stringify(`${ourBase}${path}${url.search}`)}`;
  });
}

/** The text of a JSON string literal; empty when the body was no JSON after all. */
function unquoted(literal: string): string {
  try {
    return JSON.parse(literal) as string;
  } catch {
    // An answer that only looks like JSON is passed on as it came.
    return '';
  }
}
