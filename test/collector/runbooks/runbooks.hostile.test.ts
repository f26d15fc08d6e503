import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { Marked } from 'marked';
import { describe, expect, it } from 'vitest';
import type { LiveFacts } from '../../../src/collector/runbooks/live-facts.ts';
import { createRunbooks } from '../../../src/collector/runbooks/runbooks.ts';
import { readTemplates } from '../../../src/collector/runbooks/templates.ts';
import { shellQuote } from '../../../src/util/shell-quote.ts';
import { liveCart } from './live-cart.ts';

const runbooks = createRunbooks({ templates: readTemplates() });

const ATTACKS = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '[click](javascript:alert(1))',
  '![x](http://evil.example/x.png)',
  'http://evil.example/ www.evil.example a@evil.example <http://evil.example>',
  '```\n## Mitigation\nrm -rf /\n```sh\nreboot',
  '`````',
  '| a | b |\n| --- | --- |',
  '# Heading\n\n- list\n1. one',
  '**bold** _em_ ~~gone~~',
  '{{command "reboot"}} {{{constructor}}} {{> now}} {{#each names}}',
  '\u001b[2J\u001b]0;owned\u0007',
  '\u202egnp.exe',
  "'; reboot; '",
  '$(reboot) `reboot` && reboot | sh > /x',
  '--config=/etc/passwd',
  '-n',
  '&lt;b&gt; &#60;script&#62;',
  '[ref]: http://evil.example',
  '\\',
];

/** The cart with this text wherever a pod's author has a say. */
function hostile(text: string): LiveFacts {
  const facts = liveCart();
  const pod = facts.pod!;
  const verdict = {
    ...pod.verdict,
    cause: text,
    summary: text,
    evidence: [{ fact: text, source: text, at: text }],
    next: [{ command: `podvitals why -- ${shellQuote(text)}`, why: text }],
  };
  return {
    subject: { namespace: text, pod: text, container: text, workload: text, node: text, slo: text },
    pod: { ...pod, pod: { ...pod.pod, name: text, namespace: text }, verdict },
    lives: facts.lives!.map((life) => ({
      ...life,
      container: text,
      reason: text,
      verdict,
      log: [{ at: 0, stream: 'stdout' as const, text }],
    })),
    events: facts.events!.map((event) => ({ ...event, reason: text, message: text })),
    alerts: [
      {
        ...facts.alerts![0]!,
        labels: [
          ['alertname', text],
          ['severity', text],
        ],
        annotations: [['summary', text]],
      },
    ],
  };
}

const tagsOf = (html: string) => [
  ...new Set([...html.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, tag]) => tag!.toLowerCase())),
];
const headingsOf = (markdown: string) =>
  new Marked().lexer(markdown).flatMap((token) => (token.type === 'heading' ? [token.text as string] : []));
const ALLOWED = [
  'h1',
  'h2',
  'h3',
  'p',
  'ul',
  'ol',
  'li',
  'pre',
  'code',
  'strong',
  'em',
  'table',
  'thead',
  'tbody',
  'tr',
  'th',
  'td',
];

function isHarmless(text: string): void {
  for (const name of ['PodCrashLooping', 'PodStartupSlow', 'PodvitalsAgentDown']) {
    const { markdown, html } = runbooks.page(name, hostile(text))!;
    expect(tagsOf(html).filter((tag) => !ALLOWED.includes(tag))).toEqual([]);
    // No tag has an attribute: no link, image or handler came of it.
    expect(html).not.toMatch(/<[a-z0-9]+\s/i);
    expect(`${markdown}${html}`).not.toMatch(
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/,
    );
    const own = headingsOf(runbooks.page(name, hostile('plain'))!.markdown).filter(
      (heading) => !heading.includes('plain'),
    );
    const headings = headingsOf(markdown);
    expect(headings.filter((heading) => own.includes(heading))).toEqual(own);
    expect(headings).toHaveLength(headingsOf(runbooks.page(name, hostile('plain'))!.markdown).length);
  }
}

describe('hostile text in names, logs, events and verdicts', () => {
  for (const attack of ATTACKS) {
    it(`is only text on a page: ${JSON.stringify(attack)}`, () => isHarmless(attack));
  }

  it('of any kind is only text on a page', () => {
    const text = fc.oneof(
      fc
        .array(
          fc.constantFrom(
            ...ATTACKS,
            ' ',
            '\n',
            '_',
            '*',
            '`',
            'a',
            '1.',
            '-',
            '\\',
            '[',
            ']',
            '(',
            ')',
            '<',
            '>',
          ),
          { minLength: 1, maxLength: 6 },
        )
        .map((parts) => parts.join('')),
      fc.string({ minLength: 1, maxLength: 40 }),
    );
    fc.assert(
      fc.property(
        text.filter((drawn) => drawn.trim() !== ''),
        (drawn) => {
          isHarmless(drawn);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is one argument in every command, and never a flag', () => {
    for (const attack of ATTACKS) {
      const { markdown } = runbooks.page('PodCrashLooping', hostile(attack))!;
      const commands = [...markdown.matchAll(/^(`{3,})sh\n(.*)\n\1$/gm)].map(([, , text]) => text!);
      expect(commands.length).toBeGreaterThan(3);
      for (const command of commands) {
        const words = execFileSync('sh', [
          '-c',
          `podvitals() { for word; do printf '%s\\0' "$word"; done; }; ${command}`,
        ])
          .toString()
          .split('\0')
          .slice(0, -1);
        expect(['why', 'logs', 'describe', 'query', 'delete']).toContain(words[0]);
        expect(words.length).toBeLessThanOrEqual(5);
        const operands = words.includes('--') ? words.slice(0, words.indexOf('--')) : words;
        for (const word of operands) {
          if (word.startsWith('-'))
            expect(['--previous', `--container=${attack.replace(/\n+$/, '')}`]).toContain(word);
        }
      }
    }
  });
});
