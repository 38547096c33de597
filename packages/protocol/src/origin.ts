/**
 * The origin of a URL, in one spelling, so that two may be compared: scheme, host and port, without a default port or
 * the dot that ends a full host name. Pages of apps and extensions have one too (`capacitor://localhost`,
 * `chrome-extension://<id>`); all files share `file://`. Undefined for what has none: `null`, `about:blank`, a `data:`
 * URL, and text that is no URL.
 */
export function parseOrigin(text: string): string | undefined {
  const url = urlOf(text);
  if (url === undefined) return undefined;
  // By the standard's letter only the web's schemes have an origin, and that of a blob is inside its path.
  const { protocol, host } = url.origin === "null" ? url : new URL(url.origin);
  if (protocol === "file:") return "file://";
  return host === "" ? undefined : `${protocol}//${host.toLowerCase().replace(/\.(?=:\d+$|$)/, "")}`;
}

// Not by `URL.canParse`: once it is hot, that of Node 20 refuses a host such as münchen.example.
function urlOf(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
