import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Handlebars sources by name; names that begin with `_` are parts of others. */
export type Templates = ReadonlyMap<string, string>;

/** The templates this package comes with, in top-level `runbooks/templates`. */
export const TEMPLATES_FOLDER = join(import.meta.dirname, '../../../runbooks/templates');

export function readTemplates(folder: string = TEMPLATES_FOLDER): Templates {
  return new Map(
    readdirSync(folder)
      .filter((file) => file.endsWith('.hbs'))
      .sort()
      .map((file) => [file.slice(0, -'.hbs'.length), readFileSync(join(folder, file), 'utf8')]),
  );
}
