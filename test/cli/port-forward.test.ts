import { describe, expect, it } from 'vitest';
import { parsePorts } from '../../src/cli/commands/port-forward.ts';
import type { Pod } from '../../src/model/kubernetes.ts';
import type { Service } from '../../src/model/kubernetes-service.ts';

const pod = {
  spec: { containers: [{ name: 'app', ports: [{ name: 'http', containerPort: 8080 }] }] },
} as unknown as Pod;
const service = {
  metadata: { name: 'web' },
  spec: {
    ports: [
      { name: 'web', port: 80, targetPort: 'http' },
      { name: 'admin', port: 9000 },
    ],
  },
} as unknown as Service;

// Source: kubectl/pkg/cmd/portforward/portforward.go
describe('ports to forward', () => {
  it('of a pod are its own, by number or by name', () => {
    expect(parsePorts('8080', pod)).toEqual({ local: 8080, remote: 8080 });
    expect(parsePorts(':http', pod)).toEqual({ local: 0, remote: 8080 });
    expect(parsePorts('1:2', pod)).toEqual({ local: 1, remote: 2 });
    expect(() => parsePorts('nope', pod)).toThrow('is no port');
  });
  it('of a Service lead to those of its pods', () => {
    expect(parsePorts('80', pod, service)).toEqual({ local: 80, remote: 8080 });
    expect(parsePorts('8000:web', pod, service)).toEqual({ local: 8000, remote: 8080 });
    expect(parsePorts(':9000', pod, service)).toEqual({ local: 0, remote: 9000 });
    expect(() => parsePorts('8080', pod, service)).toThrow(
      'Service web has no port "8080"; it has 80 (web), 9000 (admin)',
    );
  });
});
