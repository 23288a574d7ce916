/**
 * The public key blob of SSH, decoded to the last byte (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4, and
 * OpenSSH's PROTOCOL.u2f for the sk- types).
 *
 * In: the type that stands before the blob, and the blob in base64. Out: undefined for a sound key, or
 * what is wrong with it. A blob with bytes left over, or of another type than the line says, is not sound.
 */

import type { Refusal } from "./verdict.ts";

const MAX_RSA_BITS = 16384;

/** Checks a blob against the type in front of it. */
export function wireKeyFault(type: string, base64: string, minRsaBits: number): Refusal | undefined {
  const check = Object.hasOwn(KEY_TYPES, type) ? KEY_TYPES[type] : undefined;
  if (check === undefined) {
    return { code: "key-type-refused", reason: `keys of type ${type.slice(0, 60)} are not accepted` };
  }
  const blob = decodeBase64(base64);
  const reader = blob === undefined ? undefined : readWire(blob);
  if (reader === undefined || reader.text() !== type) {
    return broken(`the key data does not decode to a ${type} key`);
  }
  const fault = check(reader, minRsaBits);
  return fault ?? (reader.atEnd() ? undefined : broken("the key data is cut short or has bytes left over"));
}

/**
 * The blob of an ed25519 key, and nothing else: 51 bytes need no padding, and all of them but the key's own 32 are given.
 * They end inside the 26th character, whose upper two bits are the last two of a length of 32.
 */
export const ED25519_BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAI[A-P][A-Za-z0-9+/]{42}";

type Check = (reader: WireReader, minRsaBits: number) => Refusal | undefined;

const KEY_TYPES: Readonly<Record<string, Check>> = {
  "ssh-ed25519": (reader) => ed25519Fault(reader),
  "sk-ssh-ed25519@openssh.com": (reader) => ed25519Fault(reader) ?? applicationFault(reader),
  "ecdsa-sha2-nistp256": (reader) => ecdsaFault(reader, "nistp256", 32),
  "ecdsa-sha2-nistp384": (reader) => ecdsaFault(reader, "nistp384", 48),
  "ecdsa-sha2-nistp521": (reader) => ecdsaFault(reader, "nistp521", 66),
  "sk-ecdsa-sha2-nistp256@openssh.com": (reader) =>
    ecdsaFault(reader, "nistp256", 32) ?? applicationFault(reader),
  "ssh-rsa": (reader, minRsaBits) => rsaFault(reader, minRsaBits),
};

function ed25519Fault(reader: WireReader): Refusal | undefined {
  return reader.bytes()?.length === 32 ? undefined : broken("an ed25519 key has 32 bytes, this one has not");
}

function ecdsaFault(reader: WireReader, curve: string, fieldBytes: number): Refusal | undefined {
  const named = reader.text();
  const point = reader.bytes();
  if (named !== curve || point === undefined) {
    return broken(`the key data does not name the curve ${curve}`);
  }
  const uncompressed = point.length === 1 + 2 * fieldBytes && point[0] === 4;
  return uncompressed ? undefined : broken(`the key data is no uncompressed point of ${curve}`);
}

function applicationFault(reader: WireReader): Refusal | undefined {
  const application = reader.text();
  return application === undefined || application === ""
    ? broken("a security key names no application")
    : undefined;
}

function rsaFault(reader: WireReader, minRsaBits: number): Refusal | undefined {
  const exponent = reader.positiveInteger();
  const modulus = reader.positiveInteger();
  if (
    exponent === undefined ||
    modulus === undefined ||
    ((exponent.at(-1) ?? 0) & 1) === 0 ||
    bitsOf(exponent) < 2
  ) {
    return broken("the RSA exponent or modulus is not a positive integer in its shortest form");
  }
  const bits = bitsOf(modulus);
  if (bits < minRsaBits) {
    const reason = `an RSA key of ${bits} bits is shorter than keys.minRsaBits, ${minRsaBits}`;
    return { code: "key-too-weak", reason };
  }
  return bits > MAX_RSA_BITS ? broken(`an RSA key of ${bits} bits is longer than sshd reads`) : undefined;
}

function bitsOf(integer: Uint8Array): number {
  return integer.length * 8 - Math.clz32(integer[0] ?? 0) + 24;
}

function broken(reason: string): Refusal {
  return { code: "key-invalid", reason };
}

/** Base64 with nothing a decoder would skip over: what comes out must encode to what went in. */
function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.length > 0 && bytes.toString("base64") === text ? bytes : undefined;
}

/** Reads the length-prefixed fields of RFC 4251 §5, one after the other, never past the end. */
interface WireReader {
  bytes(): Buffer | undefined;
  text(): string | undefined;
  /** An mpint above zero without its sign byte; undefined for a negative or padded one. */
  positiveInteger(): Buffer | undefined;
  atEnd(): boolean;
}

function readWire(blob: Buffer): WireReader {
  let position = 0;
  const bytes = () => {
    const start = position + 4;
    const end = start <= blob.length ? start + blob.readUInt32BE(position) : Number.POSITIVE_INFINITY;
    if (end > blob.length) {
      return undefined;
    }
    position = end;
    return blob.subarray(start, end);
  };
  return {
    bytes,
    text: () => bytes()?.toString("latin1"),
    positiveInteger: () => withoutSign(bytes()),
    atEnd: () => position === blob.length,
  };
}

function withoutSign(integer: Buffer | undefined): Buffer | undefined {
  const [first = 0, second = 0] = integer ?? [];
  if (integer === undefined || integer.length === 0 || first >= 0x80 || (first === 0 && second < 0x80)) {
    return undefined;
  }
  return first === 0 ? integer.subarray(1) : integer;
}
