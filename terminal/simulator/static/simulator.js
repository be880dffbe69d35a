// Shows what the firmware shows, and hands on what a trainee does. It decides nothing itself.
"use strict";

const WIDTH = 128;
const HEIGHT = 64;
const CELL = 6;
const TRY_AGAIN_MS = 1000;
const LOUDNESS = 0.08;

const byId = (id) => document.getElementById(id);
const display = byId("display").getContext("2d");
let screens = -1;
let onReader = null;
let on = true;
let audio = null;

// One after the other: keys that are typed fast arrive in their order.
let told = Promise.resolve();

function tell(what, name, value) {
  told = told
    .then(() =>
      fetch(what, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ [name]: value }),
      }),
    )
    .catch(() => null); // `watch` says so when the program is gone.
  return told;
}

function draw(picture) {
  display.fillStyle = "#000";
  display.fillRect(0, 0, WIDTH * CELL, HEIGHT * CELL);
  if (!picture) return;
  const bytes = Uint8Array.from(atob(picture), (each) => each.charCodeAt(0));
  display.fillStyle = "#cfe8ff";
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      if ((bytes[(y >> 3) * WIDTH + x] >> (y & 7)) & 1) display.fillRect(x * CELL, y * CELL, CELL, CELL);
    }
  }
}

function play(tones) {
  if (!byId("hear").checked || !audio) return;
  let at = audio.currentTime + 0.02;
  for (const [pitch, ms] of tones) {
    if (pitch) {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      tone.type = "square";
      tone.frequency.value = pitch;
      volume.gain.value = LOUDNESS;
      tone.connect(volume).connect(audio.destination);
      tone.start(at);
      tone.stop(at + ms / 1000);
    }
    at += ms / 1000;
  }
}

// A browser lets a page sound only after somebody touched it.
function wake() {
  audio = audio || new AudioContext();
  audio.resume();
}

function write(id, text) {
  if (byId(id).textContent !== text) byId(id).textContent = text;
}

function show(now) {
  on = now.on;
  onReader = now.onReader;
  draw(now.picture);
  write("state", now.state);
  write("result", now.result);
  write("first", now.lines[0]);
  write("second", now.lines[1]);
  write("light", now.lightName);
  write("sound", now.sound);
  byId("lamp").style.backgroundColor = `rgb(${now.light.join(",")})`;
  byId("plug").textContent = on ? byId("plug").dataset.pull : byId("plug").dataset.in;
  byId(`middle-${now.middle}`).checked = true;
  for (const [key, holds] of Object.entries(now.holds)) write(`holds-${key}`, holds);
  showReader();
  if (screens >= 0 && now.screens !== screens) play(now.tones);
  screens = now.screens;
}

function showReader() {
  const lies = byId("lies");
  byId("reader").classList.toggle("sim-reader--full", onReader !== null);
  if (onReader === null) {
    lies.removeAttribute("draggable");
    write("lies", lies.dataset.empty);
  } else {
    lies.draggable = true;
    write("lies", byId(`name-${onReader}`).textContent);
  }
  for (const pass of document.querySelectorAll("[data-pass]")) {
    const there = pass.dataset.pass === onReader;
    const button = pass.querySelector("button");
    pass.classList.toggle("sim-pass--lies", there);
    button.textContent = there ? button.dataset.take : button.dataset.place;
  }
}

async function watch() {
  let number = -1;
  for (;;) {
    try {
      const answer = await fetch(`situation?after=${number}`);
      if (!answer.ok) throw new Error(String(answer.status));
      const now = await answer.json();
      if (now.number !== number) show(now);
      number = now.number;
    } catch (error) {
      draw("");
      write("state", document.body.dataset.gone);
      for (const id of ["result", "first", "second"]) write(id, "");
      number = -1;
      await new Promise((done) => setTimeout(done, TRY_AGAIN_MS));
    }
  }
}

const OTHER_KEYS = { Enter: "#", Backspace: "*" };

document.addEventListener("pointerdown", wake);
document.addEventListener("keydown", (event) => {
  wake();
  if (!byId("typing").checked || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  // Enter on a button presses that button.
  if (event.key === "Enter" && event.target.closest("button, a, input")) return;
  const key = OTHER_KEYS[event.key] || event.key.toUpperCase();
  if (/^[0-9A-D#*]$/.test(key)) {
    event.preventDefault();
    tell("key", "key", key);
  }
});

byId("keys").addEventListener("click", (event) => {
  const key = event.target.closest("button");
  if (key) tell("key", "key", key.value);
});
byId("passes").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) tell("pass", "pass", button.value === onReader ? "" : button.value);
});
byId("middle").addEventListener("change", (event) => tell("middle", "middle", event.target.value));
byId("plug").addEventListener("click", () => tell("plug", "plug", on ? "out" : "in"));
byId("language").addEventListener("click", async (event) => {
  await tell("language", "language", event.currentTarget.value);
  location.reload();
});

// Dragging: a pass onto the reader, and from the reader back to the others. The buttons do the same.
for (const pass of document.querySelectorAll("[data-pass]")) {
  pass.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/plain", pass.dataset.pass));
}
byId("lies").addEventListener("dragstart", (event) => event.dataTransfer.setData("text/plain", ""));
for (const [place, allowed] of [[byId("reader"), true], [byId("passes"), false]]) {
  place.addEventListener("dragover", (event) => {
    event.preventDefault();
    place.classList.toggle("sim-reader--above", allowed);
  });
  place.addEventListener("dragleave", () => place.classList.remove("sim-reader--above"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("sim-reader--above");
    const pass = event.dataTransfer.getData("text/plain");
    if (allowed && pass) tell("pass", "pass", pass);
    if (!allowed && !pass) tell("pass", "pass", "");
  });
}

watch();
