// What a page gains with scripts: clocks that run, times in the reader's zone, news as they happen. Every act works
// without. Nothing here reads or keeps anything of what is shown.
"use strict";

(() => {
  const pad = (number) => String(number).padStart(2, "0");
  const skew = Number(document.body.dataset.now || Date.now()) - Date.now();

  const left = (ms) => {
    let seconds = Math.round(ms / 1000);
    const sign = seconds < 0 ? "-" : "";
    seconds = Math.abs(seconds);
    const hours = Math.floor(seconds / 3600), minutes = Math.floor((seconds % 3600) / 60);
    if (hours >= 48) return `${sign}${Math.floor(hours / 24)} d ${hours % 24} h`;
    const end = `${pad(seconds % 60)}`;
    return hours ? `${sign}${hours}:${pad(minutes)}:${end}` : `${sign}${minutes}:${end}`;
  };

  const span = (ms) => {
    const seconds = Math.floor(Math.abs(ms) / 1000);
    for (const [unit, size, smaller, step] of [["d", 86400, "h", 3600], ["h", 3600, "min", 60], ["min", 60, "s", 1]]) {
      if (seconds >= size) {
        const rest = Math.floor((seconds % size) / step);
        return `${Math.floor(seconds / size)} ${unit}${rest ? ` ${rest} ${smaller}` : ""}`;
      }
    }
    return `${seconds} s`;
  };

  const run = () => {
    const now = Date.now() + skew;
    for (const each of document.querySelectorAll("time[data-run]")) {
      const at = Number(each.dataset.at), over = at <= now;
      let text;
      if (each.dataset.run === "left") text = left(at - now);
      else if (each.dataset.run === "since") text = left(now - at);
      else text = over ? `${span(now - at)} ago` : `in ${span(at - now)}`;
      if (each.textContent !== text) each.textContent = text;
      if (each.dataset.run === "left") each.classList.toggle("late", over);
    }
  };

  const zoned = (root) => {
    for (const each of root.querySelectorAll("time[data-zone]:not([data-said])")) {
      const at = new Date(Number(each.dataset.at));
      const options = each.dataset.zone === "day"
        ? { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }
        : { hour: "2-digit", minute: "2-digit", second: "2-digit" };
      each.title = at.toISOString();
      each.textContent = at.toLocaleString(undefined, { ...options, hour12: false });
      each.dataset.said = "";
    }
  };

  // A page that is looked at again keeps what somebody has typed, chosen or unfolded.
  const touched = new WeakSet();
  document.addEventListener("input", (event) => touched.add(event.target));
  document.addEventListener("submit", (event) => {
    for (const each of event.target.elements) touched.delete(each);
  });
  if (window.Idiomorph) {
    Idiomorph.defaults.ignoreActiveValue = true;
    Object.assign(Idiomorph.defaults.callbacks, {
      beforeNodeMorphed: (old) => !(touched.has(old) || (old === document.activeElement && old.matches("input,textarea,select"))),
      beforeAttributeUpdated: (name, node) => !(name === "open" && node.matches("details")),
    });
  }

  const state = document.getElementById("live");
  const page = () => document.getElementById("page");
  let source = null, hidden = 0, since = document.body.dataset.since;

  const show = (name, text) => {
    if (!state) return;
    state.dataset.state = name;
    state.textContent = text;
  };

  const listen = () => {
    const topics = (document.body.dataset.topics || "").split(" ").filter(Boolean);
    if (source || !topics.length || !window.htmx) return;
    const query = new URLSearchParams(topics.map((topic) => ["topic", topic]));
    query.set("since", since);
    source = new EventSource(`/live?${query}`);
    source.addEventListener("open", () => show("live", "live"));
    source.addEventListener("changed", (event) => {
      since = event.data;
      htmx.trigger(page(), "changed");
    });
    source.addEventListener("error", () => {
      show("away", "reconnecting");
      if (source.readyState !== EventSource.CLOSED) return;
      source = null;
      setTimeout(listen, 3000);
    });
  };

  const stop = () => {
    if (source) source.close();
    source = null;
  };

  document.addEventListener("visibilitychange", () => {
    clearTimeout(hidden);
    if (document.hidden) hidden = setTimeout(stop, 30000);
    else listen();
  });

  // A key pressed on the drawn phone, an all-or-none box: what forms cannot say by themselves.
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-all]")) return;
    for (const each of document.querySelectorAll(`input[name="${event.target.dataset.all}"]`)) {
      each.checked = event.target.checked;
      touched.add(each);
    }
  });

  // A calendar in the reader's own zone, unless another was asked for.
  const calendar = document.querySelector("form[data-own-zone]");
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (calendar && own && own !== calendar.dataset.ownZone && !new URLSearchParams(location.search).has("zone")) {
    const there = new URL(location.href);
    there.searchParams.set("zone", own);
    location.replace(there);
  }

  document.addEventListener("htmx:afterSettle", () => { zoned(document); run(); });
  zoned(document);
  run();
  setInterval(run, 1000);
  listen();
})();
