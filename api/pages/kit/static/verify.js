// The page that checks a receipt: takes it from a person, and says what receipt-proof finds.
// Nothing leaves this browser unless somebody asks for the newest checkpoint.
import * as proof from "receipt-proof";

const place = (id) => document.getElementById(id);
const words = JSON.parse(place("verify-words").textContent);
const form = place("verify");
const result = place("result");
const steps = [...place("steps").children];
const PDF = "%PDF-";

// The wall clock of the ledger, as every page shows it.
const clock = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "Asia/Shanghai",
  dateStyle: "short",
  timeStyle: "medium",
});

let checked = null; // What the last check found, for the question that may follow.

// Fills a sentence with facts, as Python does.
const filled = (rule, facts) =>
  (words.rules[rule] ?? words.rules.broken).replace(/%\((\w+)\)s/g, (_, name) => facts[name]);

const yuan = (fen) => {
  const digits = String(fen).padStart(3, "0");
  return `${digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",")}.${digits.slice(-2)}`;
};

// Where the receipt comes from: typed, chosen, dropped, or in the part of the address after #,
// which a browser keeps to itself.

async function take(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const isPdf = new TextDecoder().decode(bytes.slice(0, PDF.length)) === PDF;
  place("receipt").value = isPdf ? await attachedTo(bytes) : new TextDecoder().decode(bytes);
  place("taken").textContent = file.name;
}

// Returns what is attached to a PDF of ours, which is one deflated stream; nothing, if there is none.
async function attachedTo(bytes) {
  const pdf = new TextDecoder("latin1").decode(bytes);
  const head = /\/Length (\d+)\/Type\/EmbeddedFile[^]*?\nstream\n/.exec(pdf);
  if (!head) return "";
  const start = head.index + head[0].length;
  const packed = new Blob([bytes.slice(start, start + Number(head[1]))]);
  return new Response(packed.stream().pipeThrough(new DecompressionStream("deflate"))).text();
}

function takeFromAddress() {
  const said = new URLSearchParams(location.hash.slice(1));
  const [json, id] = [said.get("json"), said.get("receipt")];
  place("named").hidden = !id;
  place("named-id").textContent = id ?? "";
  if (json === null) return;
  try {
    const text = atob(json.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
    place("receipt").value = new TextDecoder().decode(bytes);
  } catch {
    place("receipt").value = json;
  }
}

// Checking.

const claimed = () => form.elements.trust.value === "claimed";

function keys() {
  return proof.readKeys(claimed() ? place("claimed").textContent : place("key").value);
}

// Returns the witnesses that are known here: those of the reader, then those of whom the site says
// that it asks them. A witness that both name is the reader's.
async function witnesses(own) {
  const theirs = await proof.readKeys(place("claimed-witnesses").textContent);
  const known = new Set(own.map((key) => key.text));
  return [
    ...own.map((key) => ({ key, from: "own" })),
    ...theirs.filter((key) => !known.has(key.text)).map((key) => ({ key, from: "claimed" })),
  ];
}

// Does one of the steps, and shows how it went.
async function step(name, work) {
  const shown = steps.find((each) => each.dataset.step === name);
  try {
    const found = await work();
    shown.dataset.state = "held";
    return found;
  } catch (error) {
    shown.dataset.state = "failed";
    throw error;
  }
}

async function check() {
  const receipt = await step("read", () => {
    const read = proof.readReceipt(place("receipt").value);
    const wanted = place("named-id").textContent;
    if (wanted && wanted !== read.id) throw new proof.Refused("other-receipt", { id: read.id });
    return read;
  });
  const read = await keys();
  const trusted = proof.ofLogs(read);
  const events = await step("leaf", () => Promise.all(receipt.events.map(proof.checkLeaf)));
  const known = await witnesses(proof.ofWitnesses(read));
  const { checkpoint, cosigned } = await step("signature", async () => {
    const opened = await proof.checkSignature(receipt, trusted);
    const signed = await proof.cosignatures(opened, known.map(({ key }) => key));
    return { checkpoint: opened, cosigned: signed };
  });
  await step("path", () =>
    Promise.all(events.map((event) => proof.checkPath(event, checkpoint))),
  );
  return { events, checkpoint, trusted, known, cosigned };
}

// Showing.

function begin() {
  checked = null;
  for (const each of steps) each.dataset.state = "waiting";
  for (const id of ["told", "newest", "extension"]) place(id).hidden = true;
  place("key").removeAttribute("aria-invalid");
  place("receipt").removeAttribute("aria-invalid");
}

function verdict(held, sentence) {
  result.hidden = false;
  result.dataset.state = held ? "held" : "failed";
  place("verdict").textContent = held ? words.holds : words.refused;
  place("why").textContent = sentence;
  place("verdict").focus();
}

function refuse(error) {
  const known = error instanceof proof.Refused;
  if (!known) console.warn(error);
  const [rule, facts] = known ? [error.rule, error.facts] : ["broken", {}];
  const about = ["no-key", "key-malformed"].includes(rule) ? "key" : "receipt";
  place(about).setAttribute("aria-invalid", "true");
  verdict(false, filled(rule, facts));
}

function tell({ events, checkpoint, known, cosigned }) {
  place("told").hidden = false;
  place("told-rows").replaceChildren(...events.map(row));
  const { origin, size, signers } = checkpoint;
  place("told-log").textContent = origin;
  place("told-size").textContent = String(size);
  place("told-key").textContent = signers.map((key) => key.text).join("\n");
  const lines = known.map((each) => witnessed(each, cosigned));
  place("told-witnesses").replaceChildren(...(lines.length ? lines : [line("unwitnessed", {})]));
  place("ask").textContent = filled("asking", { size: String(size) });
  place("newest").hidden = false;
}

// Says of a witness whether it signed, and when as its own clock had it.
function witnessed({ key, from }, cosigned) {
  const found = cosigned.find((each) => each.key === key);
  if (!found) return line("not-cosigned", { name: key.name }, "waiting");
  const at = clock.format(new Date(Number(found.at) * 1000));
  return line(`cosigned-${from}`, { name: key.name, at }, "held");
}

function line(rule, facts, state = "waiting") {
  const made = document.createElement("li");
  made.textContent = filled(rule, facts);
  made.dataset.state = state;
  return made;
}

function row({ position, topic, told }) {
  const made = place("told-row").content.cloneNode(true);
  const { said, amount } = words.topics[topic] ?? { said: topic, amount: "amount" };
  const cells = {
    on: told.on,
    said,
    amount: amount in told ? yuan(told[amount]) : "",
    fund: told.fund ?? "",
    position: String(position),
  };
  for (const [name, text] of Object.entries(cells))
    made.querySelector(`[data-cell="${name}"]`).textContent = text;
  return made;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  begin();
  try {
    const missing = await proof.lacking();
    if (missing) throw new proof.Refused(missing);
    checked = await check();
    tell(checked);
    verdict(true, claimed() ? words.rules["held-claimed"] : words.rules["held-own"]);
  } catch (error) {
    refuse(error);
  }
});

// The one thing that asks the server, and says so beforehand: it learns the size of a tree.
place("ask-newest").addEventListener("click", async () => {
  const { checkpoint, trusted } = checked;
  const shown = place("extension");
  shown.hidden = false;
  try {
    const answer = await fetch(`/v1/proofs/consistency?from=${checkpoint.size}`);
    if (!answer.ok) throw new proof.Refused("newest-away");
    const later = await proof.checkExtension(checkpoint, await answer.json(), trusted);
    shown.dataset.state = "held";
    const facts = { old: String(checkpoint.size), size: String(later.size) };
    shown.textContent = filled("extended", facts);
  } catch (error) {
    const known = error instanceof proof.Refused;
    shown.dataset.state = "failed";
    shown.textContent = known ? filled(error.rule, error.facts) : filled("newest-away", {});
  }
});

place("file").addEventListener("change", ({ target }) => target.files[0] && take(target.files[0]));
form.addEventListener("dragover", (event) => event.preventDefault());
form.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
});
place("key").addEventListener("focus", () => {
  form.elements.trust.value = "own";
});
addEventListener("hashchange", takeFromAddress);

takeFromAddress();
place("check").disabled = false;
const missing = await proof.lacking();
if (missing) {
  place("lacking").hidden = false;
  place("lacking").textContent = filled(missing, {});
}
