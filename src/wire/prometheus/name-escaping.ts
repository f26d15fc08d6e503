/**
 * How names of metrics and labels travel that are not of letters, digits, `_` and `:` alone, to whoever cannot read
 * them. Source: https://prometheus.io/docs/instrumenting/escaping_schemes/
 */
const SCHEMES = ['allow-utf-8', 'underscores', 'dots', 'values'] as const;
export type NameEscaping = (typeof SCHEMES)[number];

/**
 * What an Accept header asks of a text exposition: of its clauses, best first, the last that says so, up to that of the
 * plain text itself. `underscores` when none does.
 */
export function negotiateEscaping(accept: string): NameEscaping {
  const clauses = accept.split(',').map(readClause);
  let escaping: NameEscaping = 'underscores';
  for (const { type, parameters } of clauses.sort((a, b) => b.quality - a.quality)) {
    const asked = SCHEMES.find((scheme) => scheme === parameters.get('escaping'));
    if (asked !== undefined) escaping = asked;
    if (type === 'text/plain' && ['0.0.4', undefined].includes(parameters.get('version'))) break;
  }
  return escaping;
}

function readClause(text: string) {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  const parameters = new Map(
    rest.map((part) => {
      const [name = '', value = ''] = part.split('=');
      return [name.trim(), value.trim().replace(/^"(.*)"$/, '$1')] as const;
    }),
  );
  const quality = Number(parameters.get('q') ?? 1);
  return { type, parameters, quality: Number.isFinite(quality) ? quality : 0 };
}

const CLASSIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** Whether a name needs no escaping, and no quotes. */
export const isClassicName = (name: string): boolean => CLASSIC.test(name);

/** The name as it travels; with `allow-utf-8` as it is. */
export function escapeName(name: string, escaping: NameEscaping): string {
  if (escaping === 'allow-utf-8' || isClassicName(name)) return name;
  const characters = Array.from(name, (character, i) => {
    const isClassic = /[a-zA-Z_:]/.test(character) || (i > 0 && /[0-9]/.test(character));
    if (escaping === 'underscores') return isClassic ? character : '_';
    if (character === '_') return '__';
    if (isClassic) return character;
    if (escaping === 'values') return `_${character.codePointAt(0)!.toString(16)}_`;
    return character === '.' ? '_dot_' : '__';
  }).join('');
  return escaping === 'values' ? `U__${characters}` : characters;
}
