const HEADER_BYTES = 12;
const TYPES = { A: 1, NS: 2 } as const;
const RECURSION_DESIRED = 0x0100;
const IS_ANSWER = 0x8000;
const INTERNET = 1;

/** A question of one name, as it goes over UDP. Labels longer than 63 bytes are cut. Source: RFC 1035, 4.1 */
export function encodeQuestion(id: number, name: string, type: keyof typeof TYPES): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  const parts = labels.map((label) => {
    const bytes = Buffer.from(label, 'latin1').subarray(0, 63);
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  });
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(RECURSION_DESIRED, 2);
  header.writeUInt16BE(1, 4);
  const tail = Buffer.alloc(5);
  tail.writeUInt16BE(TYPES[type], 1);
  tail.writeUInt16BE(INTERNET, 3);
  return Buffer.concat([header, ...parts, tail]);
}

/** The id an answer is to; undefined when it is none. That it says `no such name` is an answer, too. */
export function answeredId(message: Uint8Array): number | undefined {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  if (bytes.length < HEADER_BYTES || (bytes.readUInt16BE(2) & IS_ANSWER) === 0) return undefined;
  return bytes.readUInt16BE(0);
}
