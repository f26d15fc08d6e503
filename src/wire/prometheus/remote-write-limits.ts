/** What a receiver of remote write takes. */
export interface RemoteWriteLimits {
  /** Of the body as it travels. */
  readonly bodyBytes: number;
  /** Of the body unpacked: declared by it, and checked before anything is allocated. */
  readonly unpackedBytes: number;
  /** Unpacked bytes of all requests under way; a request beyond is told to come again. */
  readonly underWayBytes: number;
  readonly samples: number;
  readonly labels: number;
}

// Senders' defaults are 2,000 samples (Prometheus) and 10,000 (vmagent), of some 400 bytes unpacked.
export const DEFAULT_REMOTE_WRITE_LIMITS: RemoteWriteLimits = {
  bodyBytes: 16 * 1024 * 1024,
  unpackedBytes: 32 * 1024 * 1024,
  underWayBytes: 64 * 1024 * 1024,
  samples: 200_000,
  labels: 128,
};
