import type { FastifyPluginAsync } from 'fastify';

/** What is used now. Source: k8s.io/metrics/pkg/apis/metrics/v1beta1 */
export interface UsageFigures {
  readonly cpuCores: number;
  readonly memoryBytes: number;
}

export interface PodFigures {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly at: number;
  /** Containers of which both figures are known. */
  readonly containers: readonly (UsageFigures & { readonly name: string })[];
}

/** What `podman pod stats` shows; what cannot be read is absent. Bytes are since the container's or pod's start. */
export interface PodStats {
  readonly namespace: string;
  readonly name: string;
  readonly receivedBytes?: number;
  readonly sentBytes?: number;
  /** Those that run. */
  readonly containers: readonly {
    readonly name: string;
    readonly cpuCores?: number;
    readonly memoryBytes?: number;
    readonly memoryLimitBytes?: number;
    readonly readBytes?: number;
    readonly writtenBytes?: number;
    readonly processes?: number;
  }[];
}

export interface UsageRoutesOptions {
  pods(): readonly PodFigures[];
  stats(): readonly PodStats[];
  /** Undefined where it cannot be read, or not yet. */
  node(): Promise<(UsageFigures & { readonly name: string; readonly at: number }) | undefined>;
}

const apiVersion = 'metrics.k8s.io/v1beta1';
const WINDOW = '1s';

const quantities = ({ cpuCores, memoryBytes }: UsageFigures) => ({
  cpu: `${Math.round(cpuCores * 1e9)}n`,
  memory: `${Math.round(memoryBytes / 1024)}Ki`,
});

/** The Kubernetes metrics API, as `top` asks for it, and what `stats` asks for. */
export function usageRoutes(options: UsageRoutesOptions): FastifyPluginAsync {
  return async (app) => {
    app.get('/api/stats', async () => ({ items: options.stats() }));
    app.get(`/apis/${apiVersion}/pods`, async () => ({
      kind: 'PodMetricsList',
      apiVersion,
      metadata: {},
      items: options.pods().map(({ namespace, name, labels, at, containers }) => ({
        metadata: { name, namespace, labels },
        timestamp: new Date(at).toISOString(),
        window: WINDOW,
        containers: containers.map((container) => ({ name: container.name, usage: quantities(container) })),
      })),
    }));
    app.get(`/apis/${apiVersion}/nodes`, async () => {
      const node = await options.node();
      return {
        kind: 'NodeMetricsList',
        apiVersion,
        metadata: {},
        items:
          node === undefined
            ? []
            : [
                {
                  metadata: { name: node.name },
                  timestamp: new Date(node.at).toISOString(),
                  window: WINDOW,
                  usage: quantities(node),
                },
              ],
      };
    });
  };
}
