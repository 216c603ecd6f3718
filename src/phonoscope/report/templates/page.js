"use strict";
(() => {
  const cards = document.getElementById("cards");
  const all = cards ? Array.from(cards.children) : [];
  // In a large store what lies under a card's head is text until the card comes near: so the page opens at once.
  const unfold = card => {
    const later = card.querySelector(".later");
    if (later) later.outerHTML = later.textContent;
  };
  addEventListener("beforeprint", () => {
    all.forEach(unfold);
    document.querySelectorAll("details").forEach(one => { one.open = true; });
  });
  if (!cards) return;
  const near = new IntersectionObserver(seen => seen.filter(one => one.isIntersecting).forEach(one => {
    unfold(one.target);
    near.unobserve(one.target);
  }), { rootMargin: "1500px" });
  all.forEach(card => near.observe(card));
  const form = document.querySelector("form[role=search]");
  if (form) {
    const find = form.querySelector("#find"), order = form.querySelector("#order"), said = form.querySelector("output");
    const names = new Intl.Collator(undefined, { numeric: true });
    const textOf = card => [card.dataset.name, card.id,
      ...Array.from(card.querySelectorAll(".notes li, .failure, .rights"), part => part.textContent)].join("\n").toLowerCase();
    let text;
    const by = {
      name: (a, b) => names.compare(a.dataset.name, b.dataset.name),
      duration: (a, b) => b.dataset.duration - a.dataset.duration,
      tracks: (a, b) => b.dataset.tracks - a.dataset.tracks,
      speaking: (a, b) => b.dataset.speaking - a.dataset.speaking,
    };
    const filter = () => {
      const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
      text = text || new Map(all.map(card => [card, textOf(card)]));
      let shown = 0;
      for (const card of all) {
        const here = words.every(word => text.get(card).includes(word));
        card.hidden = !here;
        shown += here;
      }
      said.textContent = words.length ? `${shown} of ${all.length}` : "";
    };
    form.hidden = false;
    form.addEventListener("submit", event => event.preventDefault());
    find.addEventListener("input", filter);
    order.addEventListener("change", () => cards.append(...all.sort((a, b) => by[order.value](a, b) || names.compare(a.id, b.id))));
    document.addEventListener("keydown", event => {
      if (event.key === "/" && !event.target.closest("input, select")) { event.preventDefault(); find.focus(); }
    });
  }
  // A line through all strips of a timeline says which instant is under the pointer.
  cards.addEventListener("pointermove", event => {
    const timeline = event.target.closest(".timeline");
    const axis = timeline && timeline.querySelector(".axis");
    if (!axis) return;
    const box = axis.getBoundingClientRect(), at = (event.clientX - box.left) / box.width;
    if (at < 0 || at > 1) { timeline.removeAttribute("data-at"); return; }
    const { duration, frames } = timeline.closest(".card").dataset;
    const frame = Math.min(frames - 1, Math.floor(at * frames));
    timeline.style.setProperty("--at", `${event.clientX - timeline.getBoundingClientRect().left}px`);
    timeline.dataset.at = `${(at * duration).toFixed(2)} s · frame ${frame}`;
  });
  cards.addEventListener("pointerout", event => {
    const timeline = event.target.closest(".timeline");
    if (timeline && !timeline.contains(event.relatedTarget)) timeline.removeAttribute("data-at");
  });
  // A track and its portrait belong together: pointing at one shows the other.
  cards.addEventListener("pointerover", event => {
    for (const old of cards.querySelectorAll(".on")) old.classList.remove("on");
    const one = event.target.closest("[data-track]");
    if (!one) return;
    for (const other of one.closest(".card").querySelectorAll(`[data-track="${one.dataset.track}"]`)) other.classList.add("on");
  });
})();
