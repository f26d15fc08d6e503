// Takes its time to build an index before it is ready.
import { createServer } from 'node:http';

const warmupSeconds = Number(process.env.WARMUP_SECONDS ?? 45);
const startedAt = Date.now();
const isReady = () => Date.now() - startedAt >= warmupSeconds * 1000;

const server = createServer((request, response) => {
  if (request.url === '/readyz' && !isReady()) {
    response.statusCode = 503;
    return response.end(`index ${Math.floor((Date.now() - startedAt) / (warmupSeconds * 10))}% built\n`);
  }
  return response.end('ok\n');
});
server.listen(8080, () =>
  console.log(`search: listening on 8080, building the index for ${warmupSeconds} s`),
);
setTimeout(() => console.log('search: index built'), warmupSeconds * 1000);

process.on('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  process.exit(0);
});
