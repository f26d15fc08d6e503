import { createHash, timingSafeEqual } from 'node:crypto';
import { CodedError } from '../util/coded-error.ts';

const SHORTEST_TOKEN = 16;

const digest = (text: string) => createHash('sha256').update(text).digest();

/**
 * Tells whether an Authorization header carries the token: as `Bearer TOKEN`, or as the password of `Basic`, which
 * is what a browser can ask a person for. Takes the same time wherever a wrong token differs.
 *
 * @throws HTTP_TOKEN_SHORT for a token of fewer than 16 characters.
 */
export function createTokenCheck(token: string): (authorization: string | undefined) => boolean {
  if (token.length < SHORTEST_TOKEN) {
    throw new CodedError(
      'HTTP_TOKEN_SHORT',
      `the token has ${token.length} characters; use at least ${SHORTEST_TOKEN}, for example from: openssl rand -hex 32`,
    );
  }
  const expected = digest(token);
  return (authorization) => {
    const given = presentedToken(authorization);
    return given !== undefined && timingSafeEqual(digest(given), expected);
  };
}

function presentedToken(authorization: string | undefined): string | undefined {
  const match = /^(bearer|basic) +(\S+)$/i.exec(authorization ?? '');
  if (match === null) return undefined;
  if (match[1]!.toLowerCase() === 'bearer') return match[2];
  const pair = Buffer.from(match[2]!, 'base64').toString('utf8');
  return pair.slice(pair.indexOf(':') + 1);
}
