import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { openTables } from './open-tables.ts';

/**
 * The sandbox's one file of state: a synchronous SQLite connection, so that a transaction can never interleave with another request.
 * Rows are typed by the caller, who knows the table.
 */
export class SandboxDatabase {
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #inTransaction = false;
  #afterCommit: () => void = () => undefined;

  /** Opens or creates the file; `:memory:` keeps nothing. Throws when the file cannot be opened. */
  constructor(path: string) {
    this.#connection = new DatabaseSync(path);
    // WAL with NORMAL keeps every committed transaction through kill -9 of this process.
    this.#connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON');
    openTables(this.#connection);
  }

  /** Calls the listener after each committed transaction: it may have left work to be done later. */
  onCommit(listener: () => void): void {
    this.#afterCommit = listener;
  }

  /** All rows of a query. */
  all<Row>(sql: string, ...parameters: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...parameters) as Row[];
  }

  /** The first row of a query, if there is one. */
  get<Row>(sql: string, ...parameters: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...parameters) as Row | undefined;
  }

  /** Runs a statement and returns the number of rows it changed. */
  run(sql: string, ...parameters: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...parameters).changes);
  }

  /** Runs the work in one transaction: committed when it returns, undone when it throws. Inside another one it joins it. */
  transaction<Result>(work: () => Result): Result {
    if (this.#inTransaction) return work();
    this.#connection.exec('BEGIN IMMEDIATE');
    this.#inTransaction = true;
    let result: Result;
    try {
      result = work();
      this.#connection.exec('COMMIT');
    } catch (error) {
      if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK');
      throw error;
    } finally {
      this.#inTransaction = false;
    }
    this.#afterCommit();
    return result;
  }

  /** Closes the file. */
  close(): void {
    this.#statements.clear();
    this.#connection.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
