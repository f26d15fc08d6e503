/** Why an image cannot be had; the names of triage's causes. */
export type PullFailureCause =
  | 'ImageNotFound'
  | 'ImageAuthFailed'
  | 'RegistryUnreachable'
  | 'RegistryRateLimited'
  | 'WrongArchitecture'
  | 'DiskFull';

/** One way in which an engine or a registry says why an image cannot be had. */
export interface PullFailure {
  readonly cause: PullFailureCause;
  /** The cause in words that go on from "it cannot be pulled: ". */
  readonly because: string;
  /** The words fit another cause, too: the registry gives one answer for both. */
  readonly ambiguous?: true;
}

interface Wording extends PullFailure {
  /** Where the words come from: an engine, or the registry whose answer the engines hand on. */
  readonly from: string;
  readonly pattern: RegExp;
  /** Messages that it matches, and no row before it. */
  readonly examples: readonly string[];
}

const row = (
  cause: PullFailureCause,
  because: string,
  from: string,
  pattern: RegExp,
  ...examples: readonly string[]
): Wording => ({ cause, because, from, pattern, examples });

const RATE = 'the registry limits the rate of pulls';
const ARCHITECTURE = 'the image has no version for this architecture';
const DISK = 'the disk that keeps images is full';
const NAME = 'the registry cannot be found: its name does not resolve';
const CONNECT = 'the registry cannot be reached';
const CERTIFICATE = "the registry's certificate is not trusted";
const BROKEN = 'the registry fails to answer';
const NOT_FOUND = 'there is no such image or tag';
const CREDENTIALS = 'the registry refuses the credentials, or wants some';

/**
 * In the order they are tried: an answer that is told exactly comes before one that only repeats it (a rate limit is
 * also a refusal, and containerd ends its message about architectures with "not found").
 * Sources: wordings in public issues and documentation of Podman (containers/image), CRI-O (the same library),
 * containerd (remotes/docker, platforms), Docker, Docker Hub, ECR, Quay and the OCI distribution specification.
 */
export const PULL_FAILURES: readonly Wording[] = [
  row(
    'ImageNotFound',
    'the process runtime runs the image "host" only',
    'podvitals',
    /--runtime podman/,
    'image "nginx" cannot be pulled: the process runtime runs programs of this host (image: host); for images start podvitals with --runtime podman',
  ),
  row(
    'ImageNotFound',
    'it is not on this node, and its pull policy is Never',
    'kubelet',
    /is not present with pull policy of Never|ErrImageNeverPull/,
    'Container image "shop/cart:11" is not present with pull policy of Never',
  ),
  row(
    'ImageNotFound',
    'its name is not a valid reference',
    'every engine',
    /invalid reference format|couldn't parse image (?:name|reference)|InvalidImageName/,
    'Failed to apply default image tag "Shop/Cart": couldn\'t parse image name "Shop/Cart": invalid reference format: repository name must be lowercase',
    'failed to parse image reference "shop/cart:": invalid reference format',
    'normalizing image: normalizing name for compat API: invalid reference format',
  ),
  row(
    'RegistryRateLimited',
    RATE,
    'registries',
    /toomanyrequests|too many requests|\b429\b|rate limit/i,
    'initializing source docker://shop/cart:11: reading manifest 11 in docker.io/shop/cart: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading',
    'failed to pull and unpack image "docker.io/shop/cart:11": failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/shop/cart/manifests/sha256:11: 429 Too Many Requests - Server message: toomanyrequests',
    'rpc error: code = Unknown desc = Error reading manifest 11 in docker.io/shop/cart: toomanyrequests: You have reached your pull rate limit.',
    'unable to retrieve auth token: too many requests to registry',
  ),
  row(
    'WrongArchitecture',
    ARCHITECTURE,
    'Podman, CRI-O',
    /no image found in (?:manifest list|image index) for architecture/i,
    'choosing an image from manifest list docker://localhost:5000/cart:11: no image found in manifest list for architecture amd64, variant "", OS linux',
    'choosing an image from manifest list docker://registry.example/cart:11: no image found in image index for architecture "arm64", variant "v8", OS "linux"',
  ),
  row(
    'WrongArchitecture',
    ARCHITECTURE,
    'containerd',
    /no match for (?:current )?platform/i,
    'failed to pull and unpack image "registry.example/cart:11": no match for platform in manifest sha256:1111: not found',
    'no match for current platform linux/arm/v7 in manifest sha256:1111: not found',
  ),
  row(
    'WrongArchitecture',
    ARCHITECTURE,
    'Docker',
    /no matching manifest for|no supported platform found|does not match the (?:specified|expected) platform|image operating system .{1,40} cannot be used/i,
    'no matching manifest for linux/arm64/v8 in the manifest list entries',
    'no supported platform found in manifest list',
    'image with reference cart:11 was found but its platform (linux/arm64) does not match the specified platform (linux/amd64)',
  ),
  row(
    'DiskFull',
    DISK,
    'every engine',
    /no space left on device|disk quota exceeded/i,
    'writing blob: storing blob to file "/var/tmp/storage11/1": write /var/tmp/storage11/1: no space left on device',
    'failed to extract layer sha256:1111: write /var/lib/containerd/…/usr/bin/node: no space left on device: unknown',
  ),
  {
    ...row(
      'ImageAuthFailed',
      'there is no such repository, or it is private and the registry refuses the credentials',
      'Docker Hub and registries like it, through any engine',
      /repository does not exist or may require|requested access to the resource is denied|insufficient_scope/i,
      'failed to pull and unpack image "docker.io/shop/cart:11": failed to resolve reference "docker.io/shop/cart:11": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
      'Error reading manifest latest in docker.io/shop/cart: errors: denied: requested access to the resource is denied unauthorized: authentication required',
      'initializing source docker://shop/cart:11: reading manifest 11 in docker.io/shop/cart: requested access to the resource is denied',
      "pull access denied for shop/cart, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    ),
    ambiguous: true,
  },
  row(
    'ImageAuthFailed',
    'the registry refuses the user name or the password',
    'every engine',
    /(?:invalid|incorrect|wrong|bad) (?:username|user name|credentials)/i,
    'unable to retrieve auth token: invalid username/password: unauthorized: incorrect username or password',
    'failed to authorize: failed to fetch oauth token: unexpected status: 401 Unauthorized: incorrect username or password',
  ),
  row(
    'ImageAuthFailed',
    CREDENTIALS,
    'every engine',
    /unauthorized|no basic auth credentials|authentication required|authorization failed|access (?:denied|forbidden)|\bdenied\b|\bforbidden\b|\b40[13]\b/i,
    'initializing source docker://registry.example/cart:11: reading manifest 11 in registry.example/cart: unauthorized: authentication required',
    'initializing source docker://registry.example/cart:11: unable to retrieve auth token: invalid status code from registry 403 (Forbidden)',
    'failed to resolve reference "registry.example/cart:11": failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized',
    'failed to resolve reference "registry.example/cart:11": pulling from host registry.example failed with status code [manifests 11]: 403 Forbidden',
    'Head "https://registry.example/v2/cart/manifests/11": no basic auth credentials',
    'Error reading manifest 11 in quay.io/shop/cart: unauthorized: access to the requested resource is not authorized',
    'Permission "artifactregistry.repositories.downloadArtifacts" denied on resource',
  ),
  row(
    'RegistryUnreachable',
    NAME,
    'every engine (the resolver)',
    /no such host|server misbehaving|(?:temporary failure in )?name resolution|no DNS servers/i,
    'pinging container registry registry.invalid: Get "https://registry.invalid/v2/": dial tcp: lookup registry.invalid on 10.0.0.1:53: no such host',
    'failed to do request: Head "https://registry.invalid/v2/cart/manifests/11": dial tcp: lookup registry.invalid: Temporary failure in name resolution',
    'dial tcp: lookup registry.example on 127.0.0.53:53: server misbehaving',
  ),
  row(
    'RegistryUnreachable',
    CERTIFICATE,
    'every engine (TLS)',
    /x509:|certificate|server gave HTTP response to HTTPS client|tls: |first record does not look like a TLS handshake/i,
    'pinging container registry registry.example: Get "https://registry.example/v2/": x509: certificate signed by unknown authority',
    'failed to do request: Head "https://registry.example/v2/cart/manifests/11": tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
    'pinging container registry localhost:5000: Get "https://localhost:5000/v2/": http: server gave HTTP response to HTTPS client',
  ),
  row(
    'RegistryUnreachable',
    CONNECT,
    'every engine (the network)',
    /connection (?:refused|reset)|no route to host|network is unreachable|host is (?:down|unreachable)|time(?:d )?-?out|deadline exceeded|proxyconnect|broken pipe|unexpected EOF|: EOF\b/i,
    'pinging container registry localhost:5000: Get "http://localhost:5000/v2/": dial tcp [::1]:5000: connect: connection refused',
    'failed to do request: Head "https://registry.example/v2/cart/manifests/11": dial tcp 192.0.2.11:443: i/o timeout',
    'net/http: TLS handshake timeout',
    'Get "https://registry.example/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
    'rpc error: code = DeadlineExceeded desc = context deadline exceeded',
    'Get "https://registry.example/v2/": proxyconnect tcp: dial tcp 192.0.2.3:3128: connect: no route to host',
    'writing blob: storing blob to file "/var/tmp/storage1/1": happened during read: unexpected EOF',
    'pinging container registry registry.example: Get "https://registry.example/v2/": EOF',
  ),
  row(
    'RegistryUnreachable',
    BROKEN,
    'registries',
    /\b50[0-4]\b|service unavailable|bad gateway|internal server error/i,
    'received unexpected HTTP status: 503 Service Unavailable',
    'failed to resolve reference "registry.example/cart:11": unexpected status from HEAD request to https://registry.example/v2/cart/manifests/11: 502 Bad Gateway',
    'initializing source docker://registry.example/cart:11: reading manifest 11 in registry.example/cart: received unexpected HTTP status: 500 Internal Server Error',
  ),
  row(
    'ImageNotFound',
    'its name has no registry, and this host has none to search',
    'Podman, CRI-O',
    /no unqualified-search registries|did not resolve to an alias|short[- ]name mode is enforcing/i,
    'short-name "cart:11" did not resolve to an alias and no unqualified-search registries are defined in "/etc/containers/registries.conf"',
    'short name mode is enforcing, but image name cart:11 returns ambiguous list',
  ),
  row(
    'ImageNotFound',
    NOT_FOUND,
    'registries, every engine',
    /manifest[ _]unknown|name[ _]unknown|repository name not known|not found|no such image|image not known|\b404\b|unknown manifest/i,
    'initializing source docker://registry.example/cart:11: reading manifest 11 in registry.example/cart: manifest unknown',
    'rpc error: code = NotFound desc = failed to pull and unpack image "registry.example/cart:11": failed to resolve reference "registry.example/cart:11": registry.example/cart:11: not found',
    'reading manifest 11 in registry.example/cart: StatusCode: 404, <!DOCTYPE HTML>',
    'reading manifest 11 in registry.example/cart: name unknown: repository name not known to registry',
    'manifest for shop/cart:11 not found: manifest unknown: manifest unknown',
    'docker.io/shop/cart:11: image not known',
  ),
];

/** A message longer than this says it at its end or its beginning: the engines put the cause last, wrapped in the rest. */
const READ_CHARACTERS = 8192;

/** Why, as far as the engine's words tell; undefined: they do not. */
export function pullFailureOf(message: string): PullFailure | undefined {
  const read =
    message.length <= READ_CHARACTERS
      ? message
      : `${message.slice(0, READ_CHARACTERS / 2)} ${message.slice(-READ_CHARACTERS / 2)}`;
  return PULL_FAILURES.find(({ pattern }) => pattern.test(withoutNames(read)));
}

/**
 * Without addresses and names between quotes: an image called `shop/403-page` or `cart:429` says nothing of why it
 * cannot be had. Quoted words with a space are the engine's own.
 */
function withoutNames(message: string): string {
  return message
    .replace(/"[^"\s]{1,1024}"/g, '""')
    .replace(/\b(?:https?|docker):\/\/[^\s"]{1,2048}?(?=:?(?:[\s"]|$))/g, '')
    .replace(/\breading manifest [^\s"]{1,256} in [^\s":]{1,512}/gi, 'reading manifest')
    .replace(/\bsha256:[0-9a-f]+/g, 'sha256');
}
