// Checks a donation's receipt against a key: RFC 6962 proofs under a signed checkpoint (C2SP
// signed-note, tlog-checkpoint). It asks nobody for anything, and touches no page. What does not
// hold is thrown as Refused: the name of a rule, and the facts that its sentence is filled with.

export class Refused extends Error {
  constructor(rule, facts = {}) {
    super(rule);
    this.rule = rule;
    this.facts = facts;
  }
}

const LEAF_APP = "ledger";
const LEAF_FORM = 1;
const ED25519_NOTE = 1; // "0x01 — Ed25519 signatures as specified by this document"
const COSIGNATURE = 4; // "0x04 — Timestamped Ed25519 witness cosignatures"
const TYPES = [ED25519_NOTE, COSIGNATURE];
const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;
const HASH_BYTES = 32;
const ID_BYTES = 4;
const NUMBER_MAX = 2n ** 63n - 1n;

// Bytes and numbers, each of which has one spelling.

const utf8 = new TextEncoder();

function textOf(bytes) {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

function fromBase64(text) {
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  if (btoa(String.fromCharCode(...bytes)) !== text) throw new Error("not how base64 spells it");
  return bytes;
}

function hashFrom(text) {
  const bytes = fromBase64(text);
  if (bytes.length !== HASH_BYTES) throw new Error("not a hash");
  return bytes;
}

function fromDecimal(text) {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(text) || BigInt(text) > NUMBER_MAX) throw new Error("no number");
  return BigInt(text);
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function joined(...parts) {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function same(one, other) {
  return hex(one) === hex(other);
}

// Reads something as its format has it, or refuses by that name.
function reading(rule, facts, read) {
  try {
    return read();
  } catch {
    throw new Refused(rule, facts);
  }
}

async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
}

// "MTH({d(0)}) = SHA-256(0x00 || d(0))", and "SHA-256(0x01 || left || right)" above.
const leafHash = (leaf) => sha256([0], leaf);
const nodeHash = (left, right) => sha256([1], left, right);

// What this browser lacks for checking: the name of a rule, or nothing.
export async function lacking() {
  if (!globalThis.crypto?.subtle) return "no-webcrypto";
  try {
    await importKey(new Uint8Array(HASH_BYTES).fill(9));
  } catch (error) {
    if (error.name === "NotSupportedError") return "no-ed25519";
  }
  return null;
}

// Keys: <name>+<hex of the ID>+<base64 of type and key>, one a line.

const importKey = (key) => crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);

export async function readKeys(text) {
  const lines = text.split("\n").map((line) => line.trim());
  return Promise.all(lines.filter(Boolean).map(readKey));
}

// The keys of logs among these, of which there has to be one.
export function ofLogs(keys) {
  const found = keys.filter((key) => key.type === ED25519_NOTE);
  if (found.length === 0) throw new Refused("no-key");
  return found;
}

export const ofWitnesses = (keys) => keys.filter((key) => key.type === COSIGNATURE);

async function readKey(line) {
  const [name, id, ...rest] = line.split("+");
  const typed = reading("key-malformed", {}, () => fromBase64(rest.join("+")));
  if (!name || typed.length !== 1 + HASH_BYTES || !TYPES.includes(typed[0]))
    throw new Refused("key-malformed");
  // "key ID = SHA-256(key name || 0x0A || signature type || public key)[:4]"
  const expected = (await sha256(utf8.encode(`${name}\n`), typed)).slice(0, ID_BYTES);
  if (hex(expected) !== id) throw new Refused("key-malformed");
  return { name, id, type: typed[0], bytes: typed.slice(1), text: line };
}

// Signed notes and checkpoints.

function readNote(note) {
  const end = note.lastIndexOf("\n\n"); // "the last empty line in the note"
  if (end < 0 || !note.endsWith("\n")) throw new Error("no signatures");
  const lines = note.slice(end + 2, -1).split("\n");
  return { text: note.slice(0, end + 1), signatures: lines.map(readSignature) };
}

function readSignature(line) {
  const [dash, name, encoded, ...more] = line.split(" ");
  if (dash !== "—" || !name || more.length) throw new Error("not a signature line");
  const bytes = fromBase64(encoded);
  if (bytes.length <= ID_BYTES) throw new Error("no signature");
  return { name, id: hex(bytes.slice(0, ID_BYTES)), signature: bytes.slice(ID_BYTES) };
}

function readCheckpoint(text) {
  const lines = text.slice(0, -1).split("\n");
  if (lines.length < 3 || lines.some((line) => !line)) throw new Error("no checkpoint");
  return { origin: lines[0], size: fromDecimal(lines[1]), root: hashFrom(lines[2]) };
}

// Returns the checkpoint of a note that at least one of the keys signed, and which did.
async function openCheckpoint(written, keys) {
  const [note, checkpoint] = reading("checkpoint-malformed", {}, () => {
    const read = readNote(written);
    return [read, readCheckpoint(read.text)];
  });
  const { origin } = checkpoint;
  const own = keys.filter((key) => key.name === origin);
  if (own.length === 0) throw new Refused("other-log", { origin, name: keys[0].name });
  const signers = [];
  for (const { name, id, signature } of note.signatures) {
    const key = own.find((each) => each.name === name && each.id === id);
    if (!key) continue; // "Verifiers MUST ignore signatures from unknown keys".
    if (!(await verifies(key, signature, utf8.encode(note.text)))) throw new Refused("signature-wrong", { name });
    signers.push(key);
  }
  if (signers.length === 0) throw new Refused("not-signed", { name: origin });
  return { ...checkpoint, signers, note };
}

async function verifies(key, signature, message) {
  const imported = await importKey(key.bytes);
  return crypto.subtle.verify("Ed25519", imported, signature, message);
}

// Cosignatures (C2SP tlog-cosignature): that a witness saw this tree extend all that it saw before.

// Returns which of the keys cosigned the checkpoint that was opened, and in which second.
export async function cosignatures({ note }, keys) {
  const found = [];
  for (const { name, id, signature } of note.signatures) {
    const key = keys.find((each) => each.name === name && each.id === id);
    if (!key) continue; // Somebody whom nobody here knows.
    const at = await cosignedAt(key, signature, note.text);
    if (at === null) throw new Refused("cosignature-wrong", { name });
    found.push({ key, at });
  }
  return found;
}

// "an 8-byte big-endian timestamp" in front of the signature, both of which the message has.
async function cosignedAt(key, signature, text) {
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) return null;
  const at = BigInt(`0x${hex(signature.slice(0, TIME_BYTES))}`);
  if (at > NUMBER_MAX) return null;
  const message = utf8.encode(`cosignature/v1\ntime ${at}\n${text}`);
  return (await verifies(key, signature.slice(TIME_BYTES), message)) ? at : null;
}

// The tree.

// The steps of RFC 9162 §2.1.3.2: says whether the path leads from the leaf to the root.
async function includes(index, size, leaf, path, root) {
  if (index >= size) return false;
  let [fn, sn, reached] = [index, size - 1n, leaf];
  for (const step of path) {
    if (sn === 0n) return false;
    if (fn & 1n || fn === sn) {
      reached = await nodeHash(step, reached);
      [fn, sn] = upToALeftTurn(fn, sn);
    } else {
      reached = await nodeHash(reached, step);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n && same(reached, root);
}

// The steps of RFC 9162 §2.1.4.2: says whether the later tree begins with the earlier one.
async function extend(old, later, proof) {
  if (old.size === later.size) return proof.length === 0 && same(old.root, later.root);
  if (old.size > later.size || old.size === 0n || proof.length === 0) return false;
  const path = old.size & (old.size - 1n) ? proof : [old.root, ...proof];
  let [fn, sn] = [old.size - 1n, later.size - 1n];
  while (fn & 1n) [fn, sn] = [fn >> 1n, sn >> 1n];
  let [first, second] = [path[0], path[0]];
  for (const step of path.slice(1)) {
    if (sn === 0n) return false;
    if (fn & 1n || fn === sn) {
      [first, second] = [await nodeHash(step, first), await nodeHash(step, second)];
      [fn, sn] = upToALeftTurn(fn, sn);
    } else {
      second = await nodeHash(second, step);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n && same(first, old.root) && same(second, later.root);
}

// "right-shift both fn and sn equally until either LSB(fn) is set or fn is 0"
function upToALeftTurn(fn, sn) {
  while (fn && !(fn & 1n)) [fn, sn] = [fn >> 1n, sn >> 1n];
  return [fn, sn];
}

// Receipts: the four steps of checking one, each of which needs those before it.

export function readReceipt(text) {
  const receipt = reading("not-json", {}, () => JSON.parse(text));
  const { donation, events, checkpoint } = receipt ?? {};
  if (typeof checkpoint !== "string" || !Array.isArray(events) || !events.length || !donation?.id)
    throw new Refused("not-a-receipt");
  events.forEach((event, number) => {
    if (event?.stream !== donation.id || event.version !== number + 1)
      throw new Refused("other-events");
  });
  return { id: donation.id, events, checkpoint };
}

// Returns what an event says, from the bytes that its leaf has the hash of.
export async function checkLeaf(event) {
  const { position, stream, version, topic } = event;
  const [state, path, toldHash] = reading("event-malformed", { position }, () => {
    if (!Number.isSafeInteger(position) || event.index !== position - 1) throw new Error("place");
    return [fromBase64(event.state), event.path.map(hashFrom), hashFrom(event.leaf_hash)];
  });
  const leaf = JSON.stringify({
    app: LEAF_APP,
    nid: position,
    oid: stream,
    over: version,
    sha256: hex(await sha256(state)),
    size: state.length,
    topic,
    v: LEAF_FORM,
  });
  const hash = await leafHash(utf8.encode(leaf));
  if (leaf !== event.leaf || !same(hash, toldHash)) throw new Refused("leaf-differs", { position });
  const told = reading("event-malformed", { position }, () => JSON.parse(textOf(state)));
  if (told.stream !== stream || told.version !== version) throw new Refused("other-events");
  return { position, topic, told, hash, path };
}

export const checkSignature = (receipt, keys) => openCheckpoint(receipt.checkpoint, keys);

export async function checkPath({ position, hash, path }, checkpoint) {
  const index = BigInt(position) - 1n;
  if (!(await includes(index, checkpoint.size, hash, path, checkpoint.root)))
    throw new Refused("not-included", { position });
}

// Checks that a later checkpoint, given as /v1/proofs/consistency does, extends an earlier one.
export async function checkExtension(earlier, given, keys) {
  const later = await openCheckpoint(given.checkpoint, keys);
  const proof = reading("checkpoint-malformed", {}, () => given.proof.map(hashFrom));
  if (!(await extend(earlier, later, proof)))
    throw new Refused("not-extended", { old: String(earlier.size), size: String(later.size) });
  return later;
}
