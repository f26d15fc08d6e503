// Source: https://kubernetes.io/docs/reference/kubectl/jsonpath/ and kubernetes/client-go/util/jsonpath/jsonpath_test.go
import { describe, expect, it } from 'vitest';
import { findJsonPath, printJsonPath } from '../../src/cli/json-path.ts';
import { parseJsonPath, parseRelaxedPath } from '../../src/cli/json-path-parser.ts';

/** The document of kubectl's reference. */
const list = {
  kind: 'List',
  items: [
    {
      kind: 'None',
      metadata: { name: '127.0.0.1', labels: { 'kubernetes.io/hostname': '127.0.0.1' } },
      status: { capacity: { cpu: '4' }, addresses: [{ type: 'LegacyHostIP', address: '127.0.0.1' }] },
    },
    {
      kind: 'None',
      metadata: { name: '127.0.0.2' },
      status: {
        capacity: { cpu: '8' },
        addresses: [
          { type: 'LegacyHostIP', address: '127.0.0.2' },
          { type: 'another', address: '127.0.0.3' },
        ],
      },
    },
  ],
  users: [
    { name: 'myself', user: {} },
    { name: 'e2e', user: { username: 'admin', password: 'secret' } },
  ],
  numbers: [3, 1, 4, 1, 5],
  ready: true,
};
const print = (template: string) => printJsonPath(parseJsonPath(template), list);

describe('a template', () => {
  it.each([
    ['kind is {.kind}', 'kind is List'],
    ['{.kind}', 'List'],
    ["{['kind']}", 'List'],
    ['{$.kind}', 'List'],
    ['{..name}', '127.0.0.1 127.0.0.2 myself e2e'],
    ['{.items[*].metadata.name}', '127.0.0.1 127.0.0.2'],
    ['{.users[0].name}', 'myself'],
    ['{.users[-1].name}', 'e2e'],
    ["{.items[*]['metadata.name', 'status.capacity']}", '127.0.0.1 {"cpu":"4"} 127.0.0.2 {"cpu":"8"}'],
    ['{.users[?(@.name=="e2e")].user.password}', 'secret'],
    ["{.users[?(@.name!='e2e')].name}", 'myself'],
    ['{.users[?(@.user.password)].name}', 'e2e'],
    ['{range .items[*]}[{.metadata.name}, {.status.capacity.cpu}] {end}', '[127.0.0.1, 4] [127.0.0.2, 8] '],
    ['{range .items[*]}{.metadata.name}{"\\t"}{.kind}{"\\n"}{end}', '127.0.0.1\tNone\n127.0.0.2\tNone\n'],
    ['{.items[0].metadata.labels.kubernetes\\.io/hostname}', '127.0.0.1'],
    ["{.items[0].metadata.labels['kubernetes\\.io/hostname']}", '127.0.0.1'],
    ['{.numbers[1:3]}', '1 4'],
    ['{.numbers[-2:]}', '1 5'],
    ['{.numbers[::2]}', '3 4 5'],
    ['{.numbers[0,2]}', '3 4'],
    ['{.numbers[?(@>3)]}', '4 5'],
    ['{.numbers[?(@<=1)]}', '1 1'],
    ['{.numbers}', '[3,1,4,1,5]'],
    ['{.ready}', 'true'],
    [
      '{range .items[*]}{range .status.addresses[*]}{.address},{end};{end}',
      '127.0.0.1,;127.0.0.2,127.0.0.3,;',
    ],
    ['{.items[?(@.status.addresses[?(@.type=="another")])].metadata.name}', '127.0.0.2'],
    ['{range .users[*]}{@.name}={$.kind} {end}', 'myself=List e2e=List '],
    // What is not there is nothing, as kubectl get has it.
    ['<{.nope.nope[3].nope}>', '<>'],
    ['<{.numbers[17]}{.numbers[-17]}{.kind[0]}{.items.metadata}>', '<>'],
    ['{.users[?(@.nope=="x")].name}', ''],
  ])('%s gives what kubectl gives', (template, printed) => {
    expect(print(template)).toBe(printed);
  });

  it.each([
    ['{.kind', /in the middle/],
    ['{range .items[*]}{.kind}', /\{range\} without \{end\}/],
    ['{end}', /\{end\} without \{range\}/],
    ['{kind}', /unexpected "kind}"/],
    ['{.a[}', /unexpected/],
    ['{.a[?(@.b=)]}', /unexpected/],
    ['{.a[1:2:0]}', /at least 1/],
    ['{.a}}x{', /in the middle/],
    ['{'.repeat(3), /unexpected/],
    [`{.a${'[?(@'.repeat(80)}`, /nested too deep/],
    [`{.${'a'.repeat(10_001)}}`, /longer than/],
  ])('%s is refused, and says why', (template, why) => {
    expect(() => parseJsonPath(template)).toThrow(why);
  });

  it('names no properties that objects have by themselves', () => {
    expect(printJsonPath(parseJsonPath('<{.constructor}{.__proto__}{.toString}>'), list)).toBe('<>');
  });
});

it.each(['.items[0].metadata.name', 'items[0].metadata.name', '{.items[0].metadata.name}'])(
  '%s is a path of a column, or to sort by',
  (path) => {
    expect(findJsonPath(parseRelaxedPath(path), list)).toEqual(['127.0.0.1']);
  },
);
