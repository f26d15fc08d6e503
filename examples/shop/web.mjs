// The shop's front: answers its probes and sells one thing a second to itself, so that there is something to measure.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const port = Number(process.env.PORT ?? 8080);
let sold = 0;

const server = createServer((request, response) => {
  if (request.url === '/healthz' || request.url === '/readyz') return response.end('ok\n');
  response.setHeader('content-type', 'application/json');
  return response.end(`${JSON.stringify({ sold, currency: process.env.CURRENCY ?? 'EUR' })}\n`);
});

server.listen(port, () => console.log(`web: listening on ${port}`));

const shopping = setInterval(() => {
  createHash('sha256')
    .update(Buffer.alloc(2 ** 20, sold))
    .digest();
  sold += 1;
  if (sold % 30 === 0) console.log(`web: sold ${sold} things`);
}, 1000);

process.on('SIGTERM', () => {
  console.log('web: closing');
  clearInterval(shopping);
  server.close();
  server.closeAllConnections();
});
