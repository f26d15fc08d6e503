// Cannot start without the payment service's address, and says so as services do: an uncaught error.
import { createServer } from 'node:http';

function setting(name) {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`missing required environment variable ${name}`);
  return value;
}

console.log('cart: starting');
const paymentUrl = new URL(setting('PAYMENT_URL'));
createServer((_request, response) => response.end('ok\n')).listen(8080, () => {
  console.log(`cart: listening on 8080, paying at ${paymentUrl.host}`);
});
