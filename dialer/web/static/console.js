"use strict";

const inZone = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

// Times come in UTC; people read their own.
function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = time.title || time.textContent;
    time.textContent = inZone.format(at);
  }
}

function countDown() {
  for (const span of document.querySelectorAll("[data-countdown]")) {
    const left = Math.round((new Date(span.dataset.countdown) - Date.now()) / 1000);
    const hours = Math.floor(left / 3600);
    const minutes = Math.floor((left % 3600) / 60);
    span.textContent = left <= 0 ? "" : hours ? `in ${hours} h ${minutes} min` : `in ${minutes} min ${left % 60} s`;
  }
}

function draw(root) {
  for (const place of root.querySelectorAll("[data-chart]")) {
    const [at, rate, lines] = JSON.parse(place.dataset.chart);
    if (at.length < 2 || typeof uPlot === "undefined") continue;
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 0.5 } };
    place.replaceChildren();
    new uPlot({
      width: place.clientWidth || 600,
      height: 150,
      scales: { y: { range: (u, least, most) => [0, most || 1] }, lines: { range: (u, least, most) => [0, most || 1] } },
      legend: { show: true },
      series: [
        {},
        { label: "calls a second", stroke: colour("--talking"), width: 2, points: { show: false } },
        { label: "lines in use", stroke: colour("--waits"), width: 2, scale: "lines", points: { show: false } },
      ],
      axes: [axis, axis, { ...axis, scale: "lines", side: 1 }],
    }, [at, rate, lines], place);
  }
}

// What has the focus keeps it, although its block is made anew: the same link, else what stands at the same place.
const FOCUSED = "a[href], button, summary, input, select, textarea, [tabindex]";
function placeOfFocus(place) {
  const all = [...place.querySelectorAll(FOCUSED)];
  const at = all.indexOf(document.activeElement);
  return at < 0 ? null : { at, href: all[at].getAttribute("href"), words: all[at].textContent };
}
function focusAgain(place, was) {
  const all = [...place.querySelectorAll(FOCUSED)];
  const same = all.find((one) => (was.href ? one.getAttribute("href") === was.href : one.textContent === was.words));
  (same ?? all[was.at] ?? document.getElementById("main")).focus({ preventScroll: true });
}

function show(blocks) {
  document.getElementById("stale")?.remove();
  for (const [key, html] of Object.entries(blocks)) {
    const place = document.getElementById(key);
    if (!place) continue;
    const open = place.querySelector("details")?.open;
    const focus = placeOfFocus(place);
    place.innerHTML = html;
    if (open && place.querySelector("details")) place.querySelector("details").open = true;
    if (focus) focusAgain(place, focus);
    localise(place);
    draw(place);
  }
  countDown();
}

let stream = null;
function listen() {
  const address = document.body.dataset.stream;
  if (!address || stream) return;
  stream = new EventSource(address);
  stream.addEventListener("blocks", (event) => show(JSON.parse(event.data)));
  stream.addEventListener("error", () => {
    saySo();
    if (stream?.readyState === EventSource.CLOSED) setTimeout(listenAgain, AGAIN_MS);
  });
}

// The browser comes again by itself after a cut, but not where it was answered something else than a stream.
const AGAIN_MS = 3000;
function saySo() {
  if (document.getElementById("stale")) return;
  const said = document.createElement("p");
  Object.assign(said, { id: "stale", className: "bad", textContent: "These numbers do not move now; trying again." });
  said.setAttribute("role", "status");
  document.querySelector("main").prepend(said);
}
async function listenAgain() {
  hush();
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { redirect: "manual", cache: "no-store" });
    if (answer.type === "opaqueredirect") return location.reload(); // to sign in
  } catch {
    return setTimeout(listenAgain, AGAIN_MS);
  }
  listen();
}
function hush() {
  stream?.close();
  stream = null;
}

// A browser allows few connections to one host: a page that nobody sees keeps none.
document.addEventListener("visibilitychange", () => (document.hidden ? hush() : listen()));
window.addEventListener("pagehide", hush);
window.addEventListener("pageshow", listen);

localise(document);
draw(document);
countDown();
setInterval(countDown, 1000);
listen();

// How far an upload is; without this script the browser's own form does it.
for (const form of document.querySelectorAll("form[data-progress]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const bar = document.getElementById(form.dataset.progress);
    const request = new XMLHttpRequest();
    bar.hidden = false;
    request.upload.addEventListener("progress", (sent) => {
      bar.max = sent.total;
      bar.value = sent.loaded;
    });
    request.addEventListener("load", () => {
      if (request.status < 400) return location.assign(request.responseURL);
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      document.querySelector("main").replaceChildren(...page.querySelector("main").childNodes);
    });
    request.addEventListener("error", () => (bar.hidden = true));
    request.open(form.method, form.action);
    request.send(new FormData(form));
  });
}
