import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** What is asked again and again of a journal's file. */
export type Statement = Pick<StatementSync, 'all' | 'get' | 'run' | 'iterate'>;

/** The open file of a journal, which another opening of the same file may take the place of. */
export interface Connection {
  readonly db: DatabaseSync;
  /** Goes on after a replacement. */
  prepare(sql: string): Statement;
  /** Closes what was open until now. */
  replace(db: DatabaseSync): void;
}

/** `mayBeReplaced`: else statements are SQLite's own. */
export function createConnection(first: DatabaseSync, mayBeReplaced: boolean): Connection {
  let db = first;

  const renewed = (sql: string): Statement => {
    let preparedBy = db;
    let statement = db.prepare(sql);
    const now = () => {
      if (preparedBy !== db) {
        preparedBy = db;
        statement = db.prepare(sql);
      }
      return statement;
    };
    return {
      all: (...values: never[]) => now().all(...values),
      get: (...values: never[]) => now().get(...values),
      run: (...values: never[]) => now().run(...values),
      iterate: (...values: never[]) => now().iterate(...values),
    };
  };

  return {
    get db() {
      return db;
    },
    prepare: (sql) => (mayBeReplaced ? renewed(sql) : db.prepare(sql)),
    replace(next) {
      db.close();
      db = next;
    },
  };
}
