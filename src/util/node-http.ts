/**
 * What is used of `node:http`. Whoever imports that module loads all it names, `fetch` and `WebSocket` included, which are
 * 14 MB of memory; asked for like this, it is only itself.
 */
export const { Agent, IncomingMessage, ServerResponse, request } = process.getBuiltinModule('node:http');
