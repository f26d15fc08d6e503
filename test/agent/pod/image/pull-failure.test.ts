import { describe, expect, it } from 'vitest';
import { PULL_FAILURES, pullFailureOf } from '../../../../src/agent/pod/image/pull-failure.ts';

describe('why an image cannot be had', () => {
  for (const row of PULL_FAILURES) {
    it.each(row.examples)(`is ${row.cause} in the words of ${row.from}: %s`, (message) => {
      expect(pullFailureOf(message)).toBe(row);
    });
  }

  it('is not told by words nobody has seen', () => {
    expect(pullFailureOf('the frobnicator is out of cheese')).toBeUndefined();
  });

  it.each([
    'initializing source docker://registry.example/403-denied:429: reading manifest 429 in registry.example/page: manifest unknown',
    'rpc error: code = NotFound desc = failed to resolve reference "registry.example/unauthorized:401": not found',
  ])('is not read from the name of the image: %s', (message) => {
    expect(pullFailureOf(message)?.cause).toBe('ImageNotFound');
  });

  it('is found at the end of a message without end', () => {
    const message = `${'copying blob '.repeat(100_000)}: manifest unknown`;
    expect(pullFailureOf(message)?.cause).toBe('ImageNotFound');
  });

  it('tells of an answer that fits two causes', () => {
    expect(
      pullFailureOf('pull access denied, repository does not exist or may require authorization'),
    ).toMatchObject({ cause: 'ImageAuthFailed', ambiguous: true });
  });
});
