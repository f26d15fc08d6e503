import type { Socket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { answeredId, encodeQuestion } from '../../../../src/agent/stats/dns/dns-message.ts';
import { createDnsWatch } from '../../../../src/agent/stats/dns/dns-watch.ts';
import { questionOf } from '../../../../src/agent/stats/dns/resolver-question.ts';
import { createFakeClock } from '../../../../src/util/clock.ts';

describe('a question', () => {
  it('is one name over UDP, and an answer has its id', () => {
    const question = encodeQuestion(0x1234, 'shop.local', 'A');
    expect(question.toString('hex')).toBe(
      '1234010000010000000000000473686f70056c6f63616c0000010001'.replace(/ /g, ''),
    );
    expect(answeredId(question)).toBeUndefined();
    question.writeUInt16BE(0x8183, 2);
    expect(answeredId(question)).toBe(0x1234);
    expect(answeredId(Buffer.from('no dns'))).toBeUndefined();
  });
  it('asks for the first search domain, else for the root, those servers that have an IPv4 address', () => {
    expect(questionOf('nameserver 10.0.0.2\nnameserver fd00::1\nsearch shop.local a.b\n')).toEqual({
      servers: ['10.0.0.2'],
      timeoutMs: 5000,
      name: 'shop.local',
      type: 'A',
    });
    expect(questionOf('nameserver 10.0.0.2\noptions ndots:5 timeout:2\n')).toMatchObject({
      timeoutMs: 2000,
      name: '',
      type: 'NS',
    });
    expect(questionOf('search shop.local\n')).toBeUndefined();
    expect(questionOf(`nameserver 10.0.0.2\noptions timeout:9999\nsearch ${'a'.repeat(300)}`)).toMatchObject({
      timeoutMs: 30_000,
      name: '',
    });
  });
});

/** A watch over one pod, whose name server answers after `answersAfterMs()`, or never. */
function watching(answersAfterMs: () => number | undefined, sendError?: Error) {
  let asked = true;
  const clock = createFakeClock();
  let opened = 0;
  const openSocket = async () => {
    opened += 1;
    const socket = new EventEmitter() as EventEmitter & Record<string, unknown>;
    socket.unref = () => socket;
    socket.close = () => {};
    socket.send = (question: Buffer, port: number, address: string, told: (error?: Error) => void) => {
      told(sendError);
      const after = answersAfterMs();
      if (after === undefined || sendError) return;
      const answer = Buffer.from(question);
      answer.writeUInt16BE(0x8180, 2);
      clock.setTimer(after, () => socket.emit('message', answer, { address, port }));
    };
    return socket as unknown as Socket;
  };
  const watch = createDnsWatch({
    clock,
    random: () => 0.5,
    nsenter: '/usr/bin/nsenter',
    openSocket,
    resolverFile: () => 'nameserver 10.0.0.2\n',
    hasAsked: () => asked,
  });
  return {
    watch,
    opened: () => opened,
    hasAsked: (yes: boolean) => {
      asked = yes;
    },
    async pass(seconds: number, uid = 'u1') {
      for (let i = 0; i < seconds; i += 1) {
        watch.track([{ uid, sandboxPid: 7, containerPid: 8 }]);
        await clock.advance(1000);
      }
    },
  };
}

describe('look-ups of a pod', () => {
  it('are made every ten seconds, by one socket, once it has lived a while', async () => {
    const pod = watching(() => 30);
    await pod.pass(10);
    expect(pod.opened()).toBe(0);
    await pod.pass(60);
    expect(pod.opened()).toBe(1);
    const { count, sumSeconds, counts } = pod.watch.lookups('u1')!;
    expect(count).toBeGreaterThanOrEqual(5);
    expect(sumSeconds).toBeCloseTo(count * 0.03);
    expect(counts[5]).toBe(count);
  });
  it('are not made for a pod that has never sent a datagram itself, until it does', async () => {
    const pod = watching(() => 30);
    pod.hasAsked(false);
    await pod.pass(600);
    expect(pod.opened()).toBe(0);
    expect(pod.watch.lookups('u1')).toBeUndefined();
    pod.hasAsked(true);
    await pod.pass(30);
    expect(pod.watch.lookups('u1')!.count).toBeGreaterThanOrEqual(2);
  });
  it('are made more and more seldom while nobody has ever answered, and each ten seconds from the first answer on', async () => {
    let asked = 0;
    let answers = false;
    const pod = watching(() => {
      asked += 1;
      return answers ? 30 : undefined;
    });
    await pod.pass(20);
    expect(asked).toBe(1);
    await pod.pass(3600);
    expect(asked).toBeLessThan(20);
    expect(pod.watch.lookups('u1')).toBeUndefined();
    answers = true;
    await pod.pass(310);
    asked = 0;
    await pod.pass(100);
    expect(asked).toBe(10);
  });
  it('are unknown while nobody has ever answered; later each failure counts with the time it was waited for', async () => {
    let answers: number | undefined;
    const pod = watching(() => answers);
    await pod.pass(60);
    expect(pod.watch.lookups('u1')).toBeUndefined();
    answers = 10;
    await pod.pass(30);
    const before = pod.watch.lookups('u1')!.count;
    answers = undefined;
    await pod.pass(30);
    const { count, counts } = pod.watch.lookups('u1')!;
    expect(count).toBeGreaterThan(before);
    expect(counts[11]).toBe(count - before);
  });
  it('are unknown where nothing can be sent', async () => {
    const pod = watching(() => 10, new Error('ENETUNREACH'));
    await pod.pass(60);
    expect(pod.watch.lookups('u1')).toBeUndefined();
  });
  it('end with the pod', async () => {
    const pod = watching(() => 10);
    await pod.pass(40);
    await pod.pass(1, 'another');
    expect(pod.watch.lookups('u1')).toBeUndefined();
  });
});
