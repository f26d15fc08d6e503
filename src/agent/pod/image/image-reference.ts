/** A reference to an image, taken apart; nothing is looked up or filled in but the tag. */
export interface ImageReference {
  /** With its port; absent: the engine's own list of registries is searched. */
  readonly registry?: string;
  readonly repository: string;
  /** `latest` where neither tag nor digest is named. */
  readonly tag?: string;
  /** `sha256:…` */
  readonly digest?: string;
}

// Source: the grammar of github.com/distribution/reference
const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const HOST =
  '(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\\[[0-9A-Fa-f:]+\\])';
const REGISTRY = new RegExp(`^${HOST}(?::[0-9]+)?$`);
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const LONGEST_NAME = 255;
// Longer than the longest name, tag and digest together.
const LONGEST = 1024;

/** What comes before the first slash is a registry when it cannot be a repository: a dot, a port, `localhost`, a capital. */
const isRegistry = (word: string) => /[.:A-Z[]/.test(word) || word === 'localhost';

/** The words of a container engine for a name it cannot read; undefined: the name is well formed. */
export function imageNameProblem(text: string): string | undefined {
  const parts = takeApart(text);
  if (parts === undefined) return 'invalid reference format';
  if (parts.repository !== parts.repository.toLowerCase())
    return 'invalid reference format: repository name must be lowercase';
  return isWellFormed(parts) ? undefined : 'invalid reference format';
}

/** Undefined when it is none. */
export function parseImageReference(text: string): ImageReference | undefined {
  const parts = takeApart(text);
  if (parts === undefined || !isWellFormed(parts)) return undefined;
  return parts.tag === undefined && parts.digest === undefined ? { ...parts, tag: 'latest' } : parts;
}

function takeApart(text: string): ImageReference | undefined {
  if (text.length === 0 || text.length > LONGEST) return undefined;
  const [named, digest, ...more] = text.split('@');
  if (more.length > 0 || digest === '') return undefined;
  const slash = named!.indexOf('/');
  const first = slash < 0 ? undefined : named!.slice(0, slash);
  const registry = first !== undefined && isRegistry(first) ? first : undefined;
  const path = registry === undefined ? named! : named!.slice(slash + 1);
  const colon = path.indexOf(':');
  return {
    ...(registry === undefined ? {} : { registry }),
    repository: colon < 0 ? path : path.slice(0, colon),
    ...(colon < 0 ? {} : { tag: path.slice(colon + 1) }),
    ...(digest === undefined ? {} : { digest }),
  };
}

function isWellFormed({ registry, repository, tag, digest }: ImageReference): boolean {
  return (
    (registry === undefined || REGISTRY.test(registry)) &&
    (registry?.length ?? 0) + repository.length <= LONGEST_NAME &&
    REPOSITORY.test(repository) &&
    (tag === undefined || TAG.test(tag)) &&
    (digest === undefined || DIGEST.test(digest))
  );
}
