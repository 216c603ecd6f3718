"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const examples = JSON.parse(document.getElementById("examples").textContent);
const $ = (id) => document.getElementById(id);
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const weights = bytes(data.weights), levels = bytes(data.levels);
const count = data.names.length, rows = weights.length / count, length = rows / data.rate;
const sound = $("sound"), seek = $("seek");
const KIND = { sil: "none", PP: "closed", FF: "closed", TH: "tip", DD: "tip", nn: "tip", RR: "tip", kk: "back", CH: "hiss", SS: "hiss",
  aa: "open", E: "open", ih: "open", oh: "round", ou: "round" };
const SEEN = 3;  // s around the position that are shown large
let colours = {}, at = 0, drawn = -1, asked = 0;

function weightsAt(time) {
  const row = Math.min(Math.max(time * data.rate - 0.5, 0), rows - 1), low = Math.floor(row), part = row - low;
  const high = Math.min(low + 1, rows - 1), made = new Array(count);
  for (let k = 0; k < count; k++) made[k] = (weights[low * count + k] * (1 - part) + weights[high * count + k] * part) / 255;
  return made;
}

function cueAt(time) {
  let low = 0, high = data.cues.length - 1;
  while (low < high) { const middle = (low + high + 1) >> 1; if (data.cues[middle][0] <= time + 1e-6) low = middle; else high = middle - 1; }
  return low;
}

function poseAt(time) {
  const now = weightsAt(time), sum = now.reduce((a, b) => a + b, 0) || 1;
  return data.poses[0].map((_, p) => now.reduce((all, weight, k) => all + weight / sum * data.poses[k][p], 0));
}

const f = (x) => x.toFixed(2);

// A lens from corner to corner: `top` and `bottom` are where it is highest and lowest, `round` makes it an ellipse.
function lens(w, corner, top, bottom, round) {
  const reach = w * (0.55 + 0.42 * round), up = corner + (top - corner) * 4 / 3, down = corner + (bottom - corner) * 4 / 3;
  return `M${f(-w)} ${f(corner)}C${f(-reach)} ${f(up)} ${f(reach)} ${f(up)} ${f(w)} ${f(corner)}C${f(reach)} ${f(down)} ${f(-reach)} ${f(down)} ${f(-w)} ${f(corner)}Z`;
}

// Both lips from outside: the upper one has a dent in its middle.
function outline(w, corner, top, bottom, round) {
  const reach = w * (0.6 + 0.36 * round), down = corner + (bottom - corner) * 4 / 3, dent = 2.2 * (1 - round);
  return `M${f(-w)} ${f(corner)}C${f(-w * 0.72)} ${f(corner + (top - corner) * 0.75)} ${f(-w * 0.36)} ${f(top - 1.5)} ${f(-w * 0.17)} ${f(top - 1)}` +
    `Q0 ${f(top + dent * 2)} ${f(w * 0.17)} ${f(top - 1)}C${f(w * 0.36)} ${f(top - 1.5)} ${f(w * 0.72)} ${f(corner + (top - corner) * 0.75)} ${f(w)} ${f(corner)}` +
    `C${f(reach)} ${f(down)} ${f(-reach)} ${f(down)} ${f(-w)} ${f(corner)}Z`;
}

function mouth([jaw, width, round, upper, lower, tucked, tongue]) {
  const drop = 66 * jaw, w = 47 * (1 + 0.3 * Math.max(0, width) + 0.52 * Math.min(0, width)) * (1 - 0.1 * jaw);
  const open = drop + 17 * lower + 10 * upper + 9 * round;
  const top = 58 - 9 * upper - 6 * round - 0.1 * drop, bottom = top + Math.max(0.4, open - 4 * tucked * (1 - 2 * upper));
  const corner = top + (bottom - top) * 0.42, inner = Math.max(0.2, w - 5 - 3 * round);
  const above = 10 * (1 - 0.66 * tucked) + 3 * round, below = 13 * (1 - 0.66 * tucked) + 2 * round;
  const side = 62 + drop * 0.3, chin = 140 + drop * 0.72;
  $("head").setAttribute("d", `M-100-45C-100-120-56-152 0-152S100-120 100-45C100 0 96 30 88 ${f(side)}C82 ${f(side + 40)} 52 ${f(chin)} 0 ${f(chin)}S-82 ${f(side + 40)} -88 ${f(side)}C-96 30-100 0-100-45Z`);
  $("lips").setAttribute("d", outline(w + 2, corner, top - above, bottom + below, round));
  $("hole").setAttribute("d", lens(inner, corner, top, bottom, round));
  const shut = bottom - top < 3.2;
  $("seam").setAttribute("d", shut ? `M${f(-w + 1)} ${f(corner)}Q${f(-w * 0.4)} ${f(corner - 1.4)} 0 ${f(corner + 1)}Q${f(w * 0.4)} ${f(corner - 1.4)} ${f(w - 1)} ${f(corner)}` : "");
  const edge = top + Math.min(12, 4 + open * 0.32) * (1 - 0.85 * round);
  $("upper-teeth").setAttribute("d", `M-80-60H80V${f(edge - 2)}Q0 ${f(edge + 3)} -80 ${f(edge - 2)}Z`);
  const low = Math.max(edge + 1, bottom - 5 * (1 - round));
  $("lower-teeth").setAttribute("d", `M-80 170H80V${f(low + 3)}Q0 ${f(low - 3)} -80 ${f(low + 3)}Z`);
  const tip = Math.min(low - 2, low + 1 - (low - edge) * (0.35 + 0.75 * tongue)), between = Math.max(0, tongue - 0.75) * 4;
  $("tongue").setAttribute("d", lens(w * 0.66, tip + 16, tip, tip + 60, 1));
  $("tip").setAttribute("d", lens(w * 0.5, edge + 1, edge - 3 * between, edge + 7.5 * between, 1));
}

function sized(canvas) {
  const scale = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
  const w = Math.round(box.width * scale), h = Math.round(box.height * scale);
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, box.width, box.height);
  pen.font = "13px system-ui, sans-serif";
  pen.textBaseline = "middle";
  return [pen, box.width, box.height];
}

const colour = (value) => colours[KIND[data.names[value]]];

function level(pen, x0, x1, middle, half, from, to) {
  pen.fillStyle = colours.level;
  for (let x = x0; x < x1; x++) {
    const a = Math.floor((from + (to - from) * (x - x0) / (x1 - x0)) * 100), b = Math.max(a + 1, Math.floor((from + (to - from) * (x + 1 - x0) / (x1 - x0)) * 100));
    let loud = 0;
    for (let k = Math.max(0, a); k < Math.min(b, levels.length); k++) loud = Math.max(loud, levels[k]);
    const high = Math.max(0.5, loud / 255 * half);
    if (b > 0 && a < levels.length) pen.fillRect(x, middle - high, 1, 2 * high);
  }
}

function blocks(pen, place, y, h, from, to, named) {
  for (let k = cueAt(Math.max(0, from)); k < data.cues.length && data.cues[k][0] < to; k++) {
    const [start, value] = data.cues[k], stop = k + 1 < data.cues.length ? data.cues[k + 1][0] : length;
    const x = place(Math.max(start, from)), w = place(Math.min(stop, to)) - x;
    pen.fillStyle = colour(value);
    pen.fillRect(x, y, Math.max(0.5, w - (named ? 1 : 0)), h);
    if (named && w > 22) { pen.fillStyle = value ? colours.card : colours.ink; pen.textAlign = "center"; pen.fillText(data.names[value], x + w / 2, y + h / 2 + 1); }
  }
}

function drawAll() {
  const [pen, w, h] = sized($("all")), place = (time) => time / length * w;
  level(pen, 0, w, 26, 26, 0, length);
  blocks(pen, place, h - 16, 16, 0, length, false);
  pen.fillStyle = colours.head;
  pen.fillRect(place(at) - 1, 0, 2, h);
}

function drawNear() {
  const [pen, w, h] = sized($("near")), left = 46, head = left + (w - left) * 0.4;
  const perSecond = (w - left) / Math.min(SEEN, Math.max(length, 0.5)), place = (time) => head + (time - at) * perSecond;
  const from = at - (head - left) / perSecond, to = at + (w - head) / perSecond;
  const words = data.words.length ? 26 : 0, top = 34 + words + 24, lane = (h - top - 4) / count;
  pen.save();
  pen.beginPath(); pen.rect(left, 0, w - left, h); pen.clip();
  if (words) {
    pen.textAlign = "center";
    for (const [start, stop, word] of data.words) if (stop > from && start < to) {
      pen.fillStyle = colours.line; pen.fillRect(place(start), 0, Math.max(1, (stop - start) * perSecond - 1), words - 4);
      if (pen.measureText(word).width < (stop - start) * perSecond) { pen.fillStyle = colours.ink; pen.fillText(word, (place(start) + place(stop)) / 2, (words - 4) / 2 + 1); }
    }
  }
  blocks(pen, place, words, 28, from, Math.min(to, length), true);
  pen.fillStyle = colours.soft; pen.textAlign = "left";
  for (let tenth = Math.max(0, Math.ceil(from * 2)); tenth / 2 <= Math.min(to, length); tenth++) {
    pen.fillStyle = colours.soft; pen.fillText(`${(tenth / 2).toFixed(1)} s`, place(tenth / 2) + 4, words + 42);
    pen.fillStyle = colours.line; pen.fillRect(place(tenth / 2), words + 34, 1, h);
  }
  const first = Math.max(0, Math.floor(from * data.rate)), last = Math.min(rows - 1, Math.ceil(to * data.rate));
  for (let k = 0; k < count; k++) {
    const base = top + (k + 1) * lane - 2;
    pen.fillStyle = colours.line; pen.fillRect(left, base, w, 1);
    pen.beginPath(); pen.moveTo(place((first + 0.5) / data.rate), base);
    for (let row = first; row <= last; row++) pen.lineTo(place((row + 0.5) / data.rate), base - weights[row * count + k] / 255 * (lane - 3));
    pen.lineTo(place((last + 0.5) / data.rate), base); pen.closePath();
    pen.fillStyle = k ? colour(k) : colours.soft; pen.globalAlpha = k ? 0.9 : 0.4; pen.fill(); pen.globalAlpha = 1;
  }
  pen.fillStyle = colours.head; pen.fillRect(head - 1, 0, 2, h);
  pen.restore();
  const now = weightsAt(at), likely = data.cues[cueAt(at)][1];
  pen.textAlign = "right";
  for (let k = 0; k < count; k++) {
    pen.fillStyle = k === likely ? colours.ink : colours.soft; pen.font = `${k === likely ? 700 : 400} 13px system-ui, sans-serif`;
    pen.fillText(data.names[k], left - 10, top + (k + 0.5) * lane);
  }
}

const clock = (time) => `${Math.floor(time / 60)}:${(time % 60).toFixed(2).padStart(5, "0")}`;

function show(time) {
  at = Math.min(Math.max(0, time), length);
  const value = data.cues.length ? data.cues[cueAt(at)][1] : 0, name = data.names[value];
  mouth(poseAt(at));
  if (drawn !== value) { $("viseme").textContent = name; $("viseme").style.color = value ? colour(value) : ""; $("example").textContent = examples[name]; drawn = value; }
  $("clock").textContent = clock(at);
  seek.value = at;
  seek.setAttribute("aria-valuetext", `${at.toFixed(2)} s, ${name}`);
  drawAll(); drawNear();
}

function moved() { show(sound.currentTime); asked = sound.paused ? 0 : requestAnimationFrame(moved); }
function go(time) { sound.currentTime = Math.min(Math.max(0, time), length); show(sound.currentTime); }
function toggle() { if (sound.paused) sound.play(); else sound.pause(); }
function restate() {
  const paused = sound.paused;
  $("play").setAttribute("aria-pressed", String(!paused));
  $("play").querySelector("span").textContent = paused ? "Play" : "Pause";
  $("sign").setAttribute("d", paused ? "M5 3v14l12-7z" : "M4 3h4v14H4zM12 3h4v14h-4z");
  if (!paused && !asked) asked = requestAnimationFrame(moved);
}
function recolour() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["closed", "tip", "back", "hiss", "open", "round", "none", "level", "head", "ink", "soft", "line", "card"])
    colours[name] = style.getPropertyValue(`--${name}`).trim();
  drawn = -1;
  show(at);
}

for (const happened of ["play", "pause", "ended"]) sound.addEventListener(happened, restate);
sound.addEventListener("seeked", () => show(sound.currentTime));
$("play").addEventListener("click", toggle);
$("speed").addEventListener("change", (event) => { sound.playbackRate = Number(event.target.value); });
$("again").addEventListener("change", (event) => { sound.loop = event.target.checked; });
seek.addEventListener("input", () => go(Number(seek.value)));
$("near").addEventListener("click", (event) => {
  const box = event.target.getBoundingClientRect(), left = 46, head = left + (box.width - left) * 0.4;
  go(at + (event.clientX - box.left - head) / ((box.width - left) / Math.min(SEEN, Math.max(length, 0.5))));
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select")) return;
  const cue = cueAt(at), starts = data.cues.map((it) => it[0]);
  const steps = { ArrowLeft: () => go(at - 0.1), ArrowRight: () => go(at + 0.1), Home: () => go(0), End: () => go(length),
    ",": () => go(starts[at > starts[cue] + 0.02 ? cue : Math.max(0, cue - 1)]), ".": () => go(cue + 1 < starts.length ? starts[cue + 1] : length) };
  if (event.key === " " && !event.target.matches("button, input[type=checkbox], summary")) { toggle(); event.preventDefault(); }
  else if (steps[event.key]) { steps[event.key](); event.preventDefault(); }
});
window.addEventListener("resize", () => show(at));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
recolour();
const wanted = /^#t=([\d.]+)$/.exec(location.hash);
if (wanted) { const time = Number(wanted[1]); show(time); sound.addEventListener("loadedmetadata", () => go(time), { once: true }); }
