/**
 * The name in a Host header, lower case, without port and without the dot of a full name; IPv6 in brackets as
 * browsers write it. Undefined when it is no host at all.
 */
export function hostName(header: string): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[^\s:/?#@[\]\\]+)(?::\d{1,5})?$/i.exec(header);
  return match?.[1]?.toLowerCase().replace(/\.$/, '');
}

/** An address as a URL has it: IPv6 in brackets, an IPv4 address mapped into IPv6 as IPv4. */
export function urlHost(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  return plain.includes(':') ? `[${plain}]` : plain;
}

const OWN_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Whether a request's Host header names this server. A page that rebinds its own DNS name to our address still sends
 * its own name, and is refused. `localAddress` is the address the client reached us at: written as a number it went
 * through no DNS, so it is allowed. `configured` are names with or without a port.
 */
export function isAllowedHost(
  header: string | undefined,
  localAddress: string | undefined,
  configured: readonly string[],
): boolean {
  const name = header === undefined ? undefined : hostName(header);
  if (name === undefined) return false;
  if (OWN_NAMES.includes(name)) return true;
  if (localAddress !== undefined && name === urlHost(localAddress).toLowerCase()) return true;
  return configured.some((entry) => hostName(entry) === name);
}

/** Whether an address to listen on is reached from this machine only. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '::1' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name);
}
