import { createStore } from '../../../src/collector/tsdb/store.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { createOtlpGrpcServer } from '../../../src/wire/otlp/grpc-server.ts';
import { createOtlpReceiver } from '../../../src/wire/otlp/receiver.ts';

/** The receiving end alone, in a process that can be killed: store, receiver, gRPC server. */
const [path, port, nowMs] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4])];
const clock = { ...systemClock, now: () => nowMs };
const store = createStore({ path, clock });
const receiver = createOtlpReceiver({ store, clock });
const server = await createOtlpGrpcServer({ host: '127.0.0.1', port, receiver });
process.stdout.write(`${server.port}\n`);
