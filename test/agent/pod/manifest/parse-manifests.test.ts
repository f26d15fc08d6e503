import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseManifests } from '../../../../src/agent/pod/manifest/parse-manifests.ts';
import { isCodedError } from '../../../../src/util/coded-error.ts';

const parse = (text: string) => parseManifests([{ path: 'shop.yaml', text }]);

function problems(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    if (!isCodedError(error)) throw error;
    expect(error.code).toBe('MANIFEST_INVALID');
    return error.message.split('\n');
  }
  return [];
}

const podWith = (fields: string) => `apiVersion: v1
kind: Pod
metadata: {name: cart, namespace: shop}
spec:
  containers:
    - name: app
      command: [node, app.mjs]
${fields}`;

describe('manifests', () => {
  it('of the shop example are read without a warning', () => {
    const path = resolve(import.meta.dirname, '../../../../examples/shop.yaml');
    const { objects, warnings } = parseManifests([{ path, text: readFileSync(path, 'utf8') }]);
    expect(warnings).toEqual([]);
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toContain('Deployment web');
  });

  it('get the defaults of the API server', () => {
    const { objects } = parse(`${podWith('')}
      livenessProbe: {httpGet: {port: 8080}}
      resources: {limits: {cpu: 1, memory: 64Mi}}
      ports: [{containerPort: 8080}]`);
    expect(objects).toEqual([
      {
        file: 'shop.yaml',
        kind: 'Pod',
        metadata: { name: 'cart', namespace: 'shop' },
        spec: {
          restartPolicy: 'Always',
          terminationGracePeriodSeconds: 30,
          containers: [
            {
              name: 'app',
              image: 'host',
              imagePullPolicy: 'IfNotPresent',
              command: ['node', 'app.mjs'],
              livenessProbe: {
                httpGet: { path: '/', port: 8080, scheme: 'HTTP' },
                timeoutSeconds: 1,
                periodSeconds: 10,
                successThreshold: 1,
                failureThreshold: 3,
              },
              resources: { limits: { cpu: '1', memory: '64Mi' }, requests: { cpu: '1', memory: '64Mi' } },
              ports: [{ containerPort: 8080, protocol: 'TCP' }],
            },
          ],
        },
      },
    ]);
  });

  it('may be Lists, JSON, and use anchors and merge keys', () => {
    const text = `apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: prices}
    data: &base {CURRENCY: EUR}
  - {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more"}, "data": {"A": "1"}}
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: merged}
    data: {<<: *base, VAT: "19"}`;
    expect(parse(text).objects).toMatchObject([
      { metadata: { name: 'prices', namespace: 'default' }, data: { CURRENCY: 'EUR' } },
      { metadata: { name: 'more' }, data: { A: '1' } },
      { metadata: { name: 'merged' }, data: { CURRENCY: 'EUR', VAT: '19' } },
    ]);
  });

  it('put the plain text of a Secret into base64', () => {
    const [secret] = parse(`apiVersion: v1
kind: Secret
metadata: {name: keys}
data: {a: YQ==}
stringData: {b: b}`).objects;
    expect(secret).toMatchObject({ kind: 'Secret', type: 'Opaque', data: { a: 'YQ==', b: 'Yg==' } });
  });

  it('take 0644 for the octal it is to kubectl', () => {
    const { objects } = parse(`${podWith('')}
  volumes: [{name: conf, configMap: {name: prices, defaultMode: 0640}}]`);
    expect(objects[0]).toMatchObject({ spec: { volumes: [{ configMap: { defaultMode: 0o640 } }] } });
  });
});

describe('what is wrong in a manifest', () => {
  it.each([
    ['      comand: [x]', 'shop.yaml:8: spec.containers[0].comand: unknown field; did you mean command?'],
    [
      '      env: [{name: PORT, value: 8080}]',
      'shop.yaml:8: spec.containers[0].env[0].value: 8080: must be a string; put it in quotes',
    ],
    [
      '      resources: {limits: {memory: 64Mb}}',
      'shop.yaml:8: spec.containers[0].resources.limits.memory: "64Mb": must be a quantity: a number, with a suffix such as m, k, M, G, Ki, Mi, Gi if need be (100m, 64Mi)',
    ],
    [
      '      resources: {limits: {cpu: 100m}, requests: {cpu: 1}}',
      'shop.yaml:8: spec.containers[0].resources.requests.cpu: "1": must be at most the limit, 100m',
    ],
    [
      '      ports: [{containerPort: 70000}]',
      'shop.yaml:8: spec.containers[0].ports[0].containerPort: 70000: must be a port from 1 to 65535',
    ],
    [
      '      readinessProbe: {httpGet: {port: web}}\n      ports: [{name: http, containerPort: 80}]',
      'shop.yaml:8: spec.containers[0].readinessProbe.httpGet.port: "web": there is no port of this name; the container has http',
    ],
    [
      '      livenessProbe: {periodSeconds: 5}',
      'shop.yaml:8: spec.containers[0].livenessProbe: needs exactly one of exec, httpGet, tcpSocket, grpc; none is set',
    ],
    [
      '      volumeMounts: [{name: data, mountPath: /data}]',
      'shop.yaml:8: spec.containers[0].volumeMounts[0].name: "data": there is no volume of this name; add it to spec.volumes',
    ],
    [
      '  restartPolicy: always',
      'shop.yaml:8: spec.restartPolicy: "always": must be one of Always, OnFailure, Never; did you mean Always?',
    ],
    [
      '  volumes: [{name: data, nfs: {server: files, path: /data}}]',
      'shop.yaml:8: spec.volumes[0].nfs: this kind of volume is not supported; use one of emptyDir, hostPath, configMap, secret, downwardAPI, projected, persistentVolumeClaim',
    ],
    [
      '  volumes: [{name: data, persistentVolumeClaim: {claimName: My_Data}}]',
      'shop.yaml:8: spec.volumes[0].persistentVolumeClaim.claimName: "My_Data": must be lower-case letters, digits, - and ., each part beginning and ending with a letter or digit, at most 253 characters',
    ],
    [
      '      env: [{name: A, valueFrom: {configMapKeyRef: {key: A}}}]',
      'shop.yaml:8: spec.containers[0].env[0].valueFrom.configMapKeyRef.name: required, but missing',
    ],
  ])('is told with its place, value and what is allowed: %s', (fields, message) => {
    expect(problems(podWith(fields))).toContain(message);
  });

  it('is not that there is nothing between two documents, or after the last', () => {
    const text = `---\n${podWith('')}\n---\n# nothing\n---\n${podWith('').replace('name: cart', 'name: two')}\n---\n`;
    expect(parseManifests([{ path: 'shop.yaml', text }]).objects).toHaveLength(2);
  });

  it('is told all at once, over all documents', () => {
    const text = `${podWith('      ports: [{containerPort: 0}]')}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: Web}
spec:
  replicas: -1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: cart}}
    spec: {containers: [{name: app, command: [x]}], restartPolicy: Never}
---
apiVersion: v1
kind: Deploymnt`;
    expect(problems(text)).toEqual([
      expect.stringMatching(/^shop.yaml:8: .*containerPort: 0/),
      expect.stringMatching(/^shop.yaml:12: metadata.name: "Web": must be lower-case/),
      expect.stringMatching(/^shop.yaml:14: spec.replicas: -1: must be at least 0/),
      expect.stringMatching(/^shop.yaml:15: spec.selector.matchLabels.app: "web": does not match/),
      expect.stringMatching(/^shop.yaml:18: spec.template.spec.restartPolicy: "Never": must be Always/),
      // The kind is unknown, so nothing more can be said of it.
      expect.stringMatching(/^shop.yaml:21: kind: "Deploymnt": .*did you mean Deployment\?/),
    ]);
  });

  // Source: kubernetes/pkg/apis/core/validation/validation.go
  it('includes how a pod is to be beside others, or spread', () => {
    const wrong = (fields: string) =>
      problems(`${podWith('')}\n  ${fields}`).map((line) =>
        line.replace(/^.*?(?=Execution|Constraints)/, ''),
      );
    const away = (term: string) =>
      `affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{${term}}]}}`;
    expect(
      wrong(away('topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}')),
    ).toEqual([]);
    expect(
      wrong(
        away("topologyKey: '', matchLabelKeys: [version], mismatchLabelKeys: [version], namespaces: [A_B]"),
      ),
    ).toEqual([
      'Execution[0].topologyKey: "": must be a label of nodes',
      expect.stringContaining('Execution[0].namespaces[0]: "A_B": must be lower-case letters'),
      'Execution[0].matchLabelKeys: needs a labelSelector',
      'Execution[0].mismatchLabelKeys: needs a labelSelector',
      'Execution[0].mismatchLabelKeys[0]: "version": is in matchLabelKeys, too',
    ]);
    expect(
      wrong(away('topologyKey: zone, labelSelector: {matchExpressions: [{key: app, operator: In}]}')),
    ).toEqual(['Execution[0].labelSelector.matchExpressions[0].values: required with In']);
    const spread = (fields: string) => `topologySpreadConstraints: [${fields}]`;
    const one = 'topologyKey: zone, maxSkew: 1, whenUnsatisfiable: ScheduleAnyway';
    expect(wrong(spread(`{${one}}`))).toEqual([]);
    expect(
      wrong(
        spread(
          `{${one}, minDomains: 2}, {${one}}, {topologyKey: host, maxSkew: 0, whenUnsatisfiable: Never, nodeTaintsPolicy: Maybe}`,
        ),
      ),
    ).toEqual([
      'Constraints[0].minDomains: 2: may only be set where whenUnsatisfiable is DoNotSchedule',
      'Constraints[1]: duplicate: another constraint has topologyKey zone and whenUnsatisfiable ScheduleAnyway',
      'Constraints[2].maxSkew: 0: must be at least 1',
      'Constraints[2].whenUnsatisfiable: "Never": must be one of DoNotSchedule, ScheduleAnyway',
      'Constraints[2].nodeTaintsPolicy: "Maybe": must be one of Ignore, Honor',
    ]);
  });

  it('includes a word for what becomes of claims that there is not', () => {
    const set = (policy: string) => `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  selector: {matchLabels: {app: db}}
  persistentVolumeClaimRetentionPolicy: ${policy}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: app, command: [sh]}]}}`;
    const { warnings, objects } = parse(set('{whenDeleted: Delete}'));
    expect(warnings).toEqual([]);
    expect(objects).toMatchObject([
      { spec: { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' } } },
    ]);
    expect(problems(set('{whenScaled: Recycle}'))).toEqual([
      expect.stringMatching(/RetentionPolicy.whenScaled: "Recycle": must be one of Retain, Delete$/),
    ]);
  });

  // Source: kubernetes/pkg/apis/core/validation/validation.go, validateStopSignal; KEP-4960
  it('includes a stop signal of a pod that does not say its system, or that Linux does not have', () => {
    const wrong = (signal: string, os = '') =>
      problems(`${podWith(`      lifecycle: {stopSignal: ${signal}}`)}\n${os}`).map((line) =>
        line.replace(/^.*stopSignal: /, ''),
      );
    for (const signal of ['SIGQUIT', 'SIGRTMIN', 'SIGRTMIN+15', 'SIGRTMAX-14', 'SIGCLD'])
      expect(wrong(signal, '  os: {name: linux}')).toEqual([]);
    expect(wrong('SIGQUIT')).toEqual([
      '"SIGQUIT": needs the name of its system: add os: {name: linux} to the spec of the pod',
    ]);
    expect(wrong('SIGQUITT', '  os: {name: linux}')).toEqual([
      '"SIGQUITT": must be a signal such as SIGTERM, SIGQUIT or SIGRTMIN+3; did you mean SIGQUIT?',
    ]);
    expect(wrong('SIGRTMIN+16', '  os: {name: linux}')[0]).toContain('must be a signal such as');
    expect(problems(`${podWith('')}\n  os: {name: plan9}`)).toEqual([
      expect.stringContaining('spec.os.name: "plan9": must be one of linux, windows'),
    ]);
  });

  // Source: kubernetes/pkg/apis/batch/validation/validation.go, validateSuccessPolicy
  it('includes rules of success that could never be met, or are of a Job without indexes', () => {
    const job = (rules: string, mode = 'Indexed') => `apiVersion: batch/v1
kind: Job
metadata: {name: load}
spec:
  completionMode: ${mode}
  completions: 5
  successPolicy: {rules: [${rules}]}
  template: {spec: {restartPolicy: Never, containers: [{name: app, command: [sh]}]}}`;
    const wrong = (rules: string, mode?: string) =>
      problems(job(rules, mode)).map((line) => line.replace(/^.*successPolicy/, ''));
    expect(wrong("{succeededIndexes: '0,2-4', succeededCount: 4}, {succeededCount: 5}")).toEqual([]);
    expect(wrong('{succeededCount: 1}', 'NonIndexed')).toEqual([
      ': may only be set where completionMode is Indexed',
    ]);
    expect(wrong('')).toEqual(['.rules: must have from 1 to 20 rules']);
    expect(wrong('{}')).toEqual(['.rules[0]: needs succeededCount, succeededIndexes or both; none is set']);
    expect(
      wrong(
        "{succeededIndexes: '0-2', succeededCount: 4}, {succeededCount: 6}, {succeededIndexes: '3-5'}, {succeededIndexes: '2,1'}, {succeededIndexes: 'all'}",
      ),
    ).toEqual([
      '.rules[0].succeededCount: 4: must be at most 3, as many as succeededIndexes has',
      '.rules[1].succeededCount: 6: must be at most 5, the completions',
      '.rules[2].succeededIndexes: "3-5": 5 is no index: completions is 5',
      '.rules[3].succeededIndexes: "2,1": indexes must increase; 1 does not',
      '.rules[4].succeededIndexes: "all": must be indexes and ranges of them, such as 0,2-4',
    ]);
  });

  it('includes a command that the host image cannot do without', () => {
    const text =
      'apiVersion: v1\nkind: Pod\nmetadata: {name: cart}\nspec: {containers: [{name: app, args: [x]}]}';
    expect(problems(text)[0]).toMatch(
      /^shop.yaml:4: spec.containers\[0\].command: required, as the image host/,
    );
  });

  it('includes objects given twice, also in two files', () => {
    const text = podWith('');
    expect(() =>
      parseManifests([
        { path: 'a.yaml', text },
        { path: 'b.yaml', text },
      ]),
    ).toThrow('b.yaml:3: Pod shop/cart: duplicate, first at a.yaml:3');
  });

  it('never shows the value of a Secret', () => {
    const text =
      'apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {token: 4711}\ndata: {k: s3cret!}';
    expect(problems(text).join()).not.toMatch(/4711|s3cret/);
    expect(problems(text)).toHaveLength(1);
  });

  it('is a broken YAML file, a billion laughs, or a file that is too large', () => {
    expect(problems('a: [')[0]).toMatch(/^shop.yaml:1: /);
    const bomb = ['a0: &a0 [x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 9; i += 1) bomb.push(`a${i}: &a${i} [${new Array(9).fill(`*a${i - 1}`).join(',')}]`);
    expect(problems(bomb.join('\n'))[0]).toMatch(/alias/i);
    expect(problems(`# ${'x'.repeat(4 * 2 ** 20)}`)[0]).toMatch(/larger than/);
    expect(problems('')[0]).toMatch(/there is no object in it/);
    expect(problems('['.repeat(50_000)).length).toBeLessThan(102);
  });

  it('is never a crash, whatever the file', () => {
    const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
    const name = fc.constantFrom(
      'metadata',
      'spec',
      'name',
      'containers',
      'template',
      'env',
      'selector',
      '__proto__',
      'constructor',
    );
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        scalar,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(name, tie('value'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(value, fc.constantFrom('Pod', 'Secret', 'ConfigMap', 'List'), (body, kind) => {
        const base = typeof body === 'object' && body !== null ? body : {};
        problems(JSON.stringify({ ...base, apiVersion: 'v1', kind }));
      }),
    );
  });
});

describe('what is accepted but not honoured', () => {
  it('is a warning with its name', () => {
    const { objects, warnings } = parse(`${podWith('      securityContext: {procMount: Unmasked}')}
      tty: false
      resources: {limits: {nvidia.com/gpu: 1}}
  schedulerName: mine
  dnsPolicy: ClusterFirst
---
apiVersion: v1
kind: Ingress
metadata: {name: web}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: web}`);
    expect(objects).toHaveLength(1);
    expect(warnings).toEqual([
      'shop.yaml:8: Pod shop/cart: spec.containers[0].securityContext.procMount is accepted but not honoured yet',
      'shop.yaml:10: Pod shop/cart: spec.containers[0].resources.limits["nvidia.com/gpu"] is accepted but not honoured yet',
      'shop.yaml:11: Pod shop/cart: spec.schedulerName is accepted but not honoured yet',
      'shop.yaml:15: Ingress default/web: this kind is accepted but not honoured yet',
      'shop.yaml:19: ServiceMonitor default/web: this kind is accepted but not honoured yet',
    ]);
  });
});

describe('rights of containers', () => {
  const security = (text: string) => podWith(`      securityContext: ${text}`);

  it('are those Linux has, with what was probably meant', () => {
    expect(problems(security('{capabilities: {add: [NET_ADMIN, cap_sys_time], drop: [ALL]}}'))).toEqual([]);
    expect(problems(security('{capabilities: {add: [NET_ADMIM]}}'))).toEqual([
      expect.stringContaining(
        'capabilities.add[0]: "NET_ADMIM": Linux has no such capability; did you mean NET_ADMIN?',
      ),
    ]);
    expect(problems(security('{capabilities: {drop: [everything]}}'))).toEqual([
      expect.stringMatching(/Linux has no such capability; use ALL or some of AUDIT_CONTROL, .*WAKE_ALARM$/),
    ]);
  });

  it('name a filter of system calls by its kind, or by a file that lies in its folder', () => {
    expect(
      problems(security('{seccompProfile: {type: Localhost, localhostProfile: shop/cart.json}}')),
    ).toEqual([]);
    expect(problems(security('{seccompProfile: {type: Localhost}}'))).toEqual([
      expect.stringContaining('seccompProfile.localhostProfile: required when type is Localhost'),
    ]);
    for (const file of ['/etc/x.json', 'a/../../x.json'])
      expect(problems(security(`{seccompProfile: {type: Localhost, localhostProfile: ${file}}}`))).toEqual([
        expect.stringContaining('must be a path within the folder seccomp'),
      ]);
    expect(problems(security('{seccompProfile: {type: RuntimeDefault, localhostProfile: a.json}}'))).toEqual([
      expect.stringContaining('may only be set when type is Localhost'),
    ]);
  });
});

describe('a PriorityClass', () => {
  const level = (fields: string, name = 'urgent') =>
    `apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: ${name}}\n${fields}`;

  it('is read with its defaults, and has no namespace', () => {
    expect(parse(level('value: 1000\ndescription: for pagers')).objects).toEqual([
      {
        file: 'shop.yaml',
        kind: 'PriorityClass',
        metadata: { name: 'urgent', namespace: 'default' },
        value: 1000,
        description: 'for pagers',
        preemptionPolicy: 'PreemptLowerPriority',
      },
    ]);
  });

  it('is refused beyond what is the system’s', () => {
    expect(problems(level('value: 1000000001'))).toEqual([
      expect.stringContaining('value: 1000000001: must be from'),
    ]);
    expect(problems(level('value: 1', 'system-mine'))).toEqual([
      expect.stringContaining('kept for the system'),
    ]);
    expect(problems(level('description: none'))).toEqual([expect.stringContaining('value: required')]);
  });
});
