// Runs Python statements one by one on MicroPython's WebAssembly port, and says after each how the heap is.
//
// Usage: node wasm.mjs FOLDER HEAP_BYTES STATEMENT...   FOLDER becomes the root of the port's file system.
// Each statement is answered with one line of JSON: {"used", "total"} before the collection that follows, or {"error"}.

import { createCipheriv, createDecipheriv } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadMicroPython } from "@micropython/micropython-webassembly-pyscript/micropython.mjs";

const [folder, heap, ...statements] = process.argv.slice(2);
let printed = "";
const python = await loadMicroPython({
  heapsize: Number(heap),
  stdout: (text) => (printed += text + "\n"),
  linebuffer: true,
});

function copy(from, to) {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), `${to}/${entry.name}`];
    if (entry.isDirectory()) {
      python.FS.mkdir(target);
      copy(source, target);
    } else {
      python.FS.writeFile(target, readFileSync(source));
    }
  }
}

// The ciphers behind cryptolib.py. Addresses are of the port's memory.
const ciphers = [];
const read = (at, count) => Buffer.from(Array.from({ length: count }, (_, i) => python._module.getValue(at + i, "i8")));
const write = (at, bytes) => bytes.forEach((byte, i) => python._module.setValue(at + i, byte, "i8"));

function make(key, mode, iv) {
  const name = mode === 1 ? "aes-128-ecb" : "aes-128-cbc";
  return ciphers.push({ name, key: read(key, 16), iv: mode === 1 ? null : read(iv, 16) }) - 1;
}

// False when a cipher that encrypted is asked to decrypt, or the other way around: a board refuses that too.
function crypt(number, encrypting, data, count, result) {
  const cipher = ciphers[number];
  if (!cipher.running) {
    cipher.encrypting = encrypting;
    cipher.running = (encrypting ? createCipheriv : createDecipheriv)(cipher.name, cipher.key, cipher.iv);
    cipher.running.setAutoPadding(false);
  }
  if (cipher.encrypting !== encrypting) return false;
  write(result, cipher.running.update(read(data, count)));
  return true;
}

copy(folder, "");
python.registerJsModule("ciphers", { make, crypt });
python.runPython("import sys\nsys.path.append('/wasm')");

// This port collects only between two statements, and where the heap of a board would be full, its heap grows: `total`
// tells. Both are read before the collection, which gives what was added back.
for (const statement of statements) {
  printed = "";
  let answer;
  try {
    python.runPython(`${statement}\nimport gc, micropython\nmicropython.mem_info()\ngc.collect()`);
    const [, total, used] = printed.match(/GC: total: (\d+), used: (\d+)/);
    answer = { used: Number(used), total: Number(total) };
  } catch (error) {
    answer = { error: error.message };
  }
  console.log(JSON.stringify(answer));
  if (answer.error) break;
}
