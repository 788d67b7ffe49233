import { lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/** IPv4 that is not for the open internet (IANA special-purpose registry), multicast and reserved included. */
const notPublicV4: readonly (readonly [network: string, prefix: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];
/** Within 2000::/3, which alone is assigned: ranges that lead to IPv4 addresses or nowhere (Teredo, 6to4, documentation). */
const notPublicV6: readonly (readonly [network: string, prefix: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const refused = new BlockList();
for (const [network, prefix] of notPublicV4) refused.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of notPublicV6) refused.addSubnet(network, prefix, "ipv6");
const assignedV6 = new BlockList();
assignedV6.addSubnet("2000::", 3, "ipv6");
const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** True for an address of the open internet; mapped, tunneled, private and local ones are none. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !refused.check(address, "ipv4");
  return isIP(address) === 6 && assignedV6.check(address, "ipv6") && !refused.check(address, "ipv6");
}

export function isLoopbackAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** Which addresses a URL of a tenant's may lead to: https to the open internet; http to this machine, if at all. */
export function reachOf(url: URL, loopbackAllowed: boolean): (address: string) => boolean {
  if (url.protocol === "https:") return isPublicAddress;
  return (address) => url.protocol === "http:" && loopbackAllowed && isLoopbackAddress(address);
}

/** The address that a URL names instead of a host name, without the brackets of IPv6. */
export function literalAddress(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return isIP(host) === 0 ? undefined : host;
}

/** Whether a name that resolved to these may be connected to: one that also leads elsewhere is not to be trusted. */
export function areReachable(
  addresses: readonly { readonly address: string }[],
  mayReach: (address: string) => boolean,
): boolean {
  return addresses.length > 0 && addresses.every(({ address }) => mayReach(address));
}

/**
 * Resolves a name for one connection, once, and gives out what it resolved to only when all of it may be reached: the
 * connection goes to the address that was looked at, and a name that changes its mind in between changes nothing.
 */
export function guardedLookup(mayReach: (address: string) => boolean): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null) done(error, "");
      else if (first === undefined || !areReachable(addresses, mayReach))
        done(new Error("the name leads to an address that issuers may not have"), "");
      else if (options.all === true) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };
}
