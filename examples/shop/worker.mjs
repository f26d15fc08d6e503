// Keeps every order it ever saw: a leak. Where a memory limit is enforced, the kernel ends it there. Where none is, it
// stops by itself at one and a half times the limit, so that the demonstration harms nobody.
const limitBytes = Number(process.env.MEMORY_LIMIT_BYTES || 128 * 2 ** 20);
const ceilingBytes = Math.min(limitBytes * 1.5, 256 * 2 ** 20);
const orders = [];

console.log(`worker: started with a limit of ${Math.round(limitBytes / 2 ** 20)} MiB`);
const leaking = setInterval(() => {
  if (process.memoryUsage.rss() > ceilingBytes) {
    console.error(
      'worker: over its limit and still alive: no memory limit is enforced here; leaking no further',
    );
    clearInterval(leaking);
    setInterval(() => {}, 60_000);
    return;
  }
  orders.push(Buffer.alloc(5 * 2 ** 20, orders.length + 1));
  console.log(
    `worker: ${orders.length} orders in memory, ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB`,
  );
}, 1000);

process.on('SIGTERM', () => process.exit(0));
