import type { PodSpec } from '../../../model/kubernetes.ts';

interface Resolver {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

const NOTHING: Resolver = { nameservers: [], searches: [], options: [] };

export const DNS_POLICIES = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'];

/** Source: kubernetes/pkg/apis/core/validation: MaxDNSNameservers, MaxDNSSearchPaths */
export const MOST_NAMESERVERS = 3;
export const MOST_SEARCHES = 32;

/** Source: resolv.conf(5); of `search` the last line counts. */
export function parseResolver(text: string): Resolver {
  const lines = text.split('\n').map((line) =>
    line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/),
  );
  const of = (word: string) => lines.filter(([first]) => first === word).map(([, ...rest]) => rest);
  return {
    nameservers: of('nameserver').flat(),
    searches: of('search').at(-1) ?? of('domain').at(-1) ?? [],
    options: of('options').flat(),
  };
}

const unique = (words: readonly string[], most: number) => [...new Set(words)].slice(0, most);

const optionName = (option: string) => option.split(':')[0];

/**
 * A pod's /etc/resolv.conf. There is no cluster's DNS here, so `ClusterFirst` is the host's, as for a kubelet without
 * `clusterDNS`; `None` is `dnsConfig` alone.
 * Source: kubernetes/pkg/kubelet/network/dns/dns.go, GetPodDNS and appendDNSConfig
 */
export function composeResolverFile(
  spec: Pick<PodSpec, 'dnsPolicy' | 'dnsConfig'>,
  hostFile: string,
): string {
  const base = spec.dnsPolicy === 'None' ? NOTHING : parseResolver(hostFile);
  const { nameservers = [], searches = [], options = [] } = spec.dnsConfig ?? {};
  const asked = options.map(({ name = '', value }) => (value === undefined ? name : `${name}:${value}`));
  const names = new Set(asked.map(optionName));
  const merged: Resolver = {
    nameservers: unique([...base.nameservers, ...nameservers], MOST_NAMESERVERS),
    searches: unique([...base.searches, ...searches], MOST_SEARCHES),
    options: [...base.options.filter((option) => !names.has(optionName(option))), ...asked],
  };
  return [
    ...(merged.searches.length === 0 ? [] : [`search ${merged.searches.join(' ')}\n`]),
    ...merged.nameservers.map((address) => `nameserver ${address}\n`),
    ...(merged.options.length === 0 ? [] : [`options ${merged.options.join(' ')}\n`]),
  ].join('');
}
