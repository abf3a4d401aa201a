// Optional: shows times in the visitor's time zone and applies live updates.
"use strict";

const main = document.getElementById("main");
const live = document.getElementById("live");

function localize(root) {
  for (const time of root.querySelectorAll("time:not([data-age])")) {
    const at = new Date(time.dateTime);
    const text = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
    const today = new Date().toDateString() === at.toDateString();
    time.textContent = today ? text : at.toLocaleDateString([], { day: "2-digit", month: "short" }) + " " + text;
  }
}

// Turns one node into another but keeps the visitor's state: focus, typed text, opened details.
function morph(from, to) {
  if (from.isEqualNode(to)) return;
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName || from.id !== to.id) return from.replaceWith(to);
  if (from.nodeType === Node.TEXT_NODE) return void (from.data = to.data);
  if (from.nodeType !== Node.ELEMENT_NODE || from.hasAttribute("data-keep")) return;
  for (const { name } of [...from.attributes])
    if (!to.hasAttribute(name) && !(name === "open" && from.nodeName === "DETAILS")) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  const old = new Map([...from.children].filter((child) => child.id).map((child) => [child.id, child]));
  let next = from.firstChild;
  for (const child of [...to.childNodes]) {
    const same = child.id ? old.get(child.id) : undefined;
    if (same && same !== next) from.insertBefore(same, next);
    if (same) {
      next = same.nextSibling;
      morph(same, child);
    } else if (next && !next.id && !child.id) {
      const here = next;
      next = next.nextSibling;
      morph(here, child);
    } else from.insertBefore(child, next);
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

let stream;

function showState(state, text) {
  if (!live) return;
  live.hidden = false;
  if (live.textContent === text) return;
  live.className = "live " + state;
  live.textContent = text;
}

function follow() {
  if (stream || document.hidden || !main || main.querySelector("[data-still]")) return;
  stream = new EventSource("/live?at=" + encodeURIComponent(location.pathname + location.search));
  stream.addEventListener("open", () => showState("on", "live"));
  stream.addEventListener("error", () => showState("off", "reconnecting"));
  stream.addEventListener("page", (event) => {
    const fresh = main.cloneNode(false);
    fresh.innerHTML = event.data;
    localize(fresh);
    morph(main, fresh);
  });
}

// Hidden pages close their stream: a browser allows few connections per host.
document.addEventListener("visibilitychange", () => {
  if (document.hidden && stream) {
    stream.close();
    stream = undefined;
  } else follow();
});
addEventListener("pagehide", () => stream?.close());

// Progress line at the top while the next page loads slowly.
addEventListener("beforeunload", () => document.body.classList.add("busy"));
addEventListener("pageshow", () => document.body.classList.remove("busy"));

localize(document);
follow();
