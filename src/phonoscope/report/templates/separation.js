"use strict";
for (const part of document.querySelectorAll(".heard")) {
  const map = part.querySelector(".map"), sound = part.querySelector("audio");
  const show = () => map.style.setProperty("--x", sound.duration ? sound.currentTime / sound.duration : 0);
  const follow = () => { show(); if (!sound.paused) requestAnimationFrame(follow); };
  sound.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio")) if (other !== sound) other.pause();
    follow();
  });
  for (const event of ["timeupdate", "seeked"]) sound.addEventListener(event, show);
  map.addEventListener("click", (it) => {
    if (!sound.duration) return;
    const box = map.getBoundingClientRect();
    sound.currentTime = sound.duration * Math.min(1, Math.max(0, (it.clientX - box.left) / box.width));
    sound.play();
  });
}
