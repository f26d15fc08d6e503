import { spawnSync } from 'node:child_process';
import {
  type DelegationFacts,
  decideDelegation,
  readDelegationFacts,
  SCOPE_VARIABLE,
} from '../agent/host/delegation.ts';
import type { Terminal } from './program.ts';
import { printable } from './terminal.ts';

const TRY_MS = 15_000;

/**
 * Goes on in a scope of its own that the user's systemd delegates, where that gives pods their limits; once. Where it
 * cannot be had, pods run without limits, and this is said with its reason.
 */
export function enterScope(
  terminal: Pick<Terminal, 'env' | 'err' | 'rerun'>,
  facts: DelegationFacts = readDelegationFacts(terminal.env),
): void {
  if (terminal.rerun === undefined) return;
  const delegation = decideDelegation(facts);
  if (delegation.level !== 'scope') return;
  const { words, userRuntime } = delegation;
  const env = { ...terminal.env, XDG_RUNTIME_DIR: userRuntime };
  // Tried with nothing first: this process has no second chance once it has given itself up.
  const tried = spawnSync(words[0]!, [...words.slice(1), 'true'], { env, timeout: TRY_MS, encoding: 'utf8' });
  if (tried.status === 0) {
    terminal.rerun(words, { ...env, [SCOPE_VARIABLE]: '1' });
    return;
  }
  const why = (tried.stderr ?? '').trim() || tried.error?.message || `it ended with ${tried.status}`;
  terminal.err(`podvitals: ${words[0]} opened no scope, so limits are not enforced: ${printable(why)}\n`);
}
