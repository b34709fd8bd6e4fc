/* Behaviour that plain pages do not have, by data- attributes; every page works without this file.
   data-key="n" or "g c": key that presses the element   data-row: a row that opens its first link   data-open="id": opens a dialog
   data-close: closes it   data-focus: gets the focus when it arrives   data-say: its text is said   data-modal: a dialog that opens itself
   data-copy="text": copies   data-submit: a field that sends its form on change   data-toggle="id": shows or hides by a checkbox
   data-insert="{first_name}" data-into="id": puts a text where the caret is   data-tick-all: ticks every row of #sel
   data-usual="{…}" data-into="id": a choice that a field follows while nobody typed anything else there
   data-least, data-most: a button of the selection bar for so many ticked
   In #sel: Shift+click ticks a range, Ctrl+A the page, Esc clears the search and then the selection */
(() => {
  "use strict";
  const doc = document, root = doc.documentElement, $ = id => doc.getElementById(id), all = (css, within = doc) => [...within.querySelectorAll(css)];
  const typing = el => el && (el.isContentEditable || /^(TEXTAREA|SELECT)$/.test(el.tagName) || (el.tagName === "INPUT" && !/^(checkbox|radio|button|submit)$/.test(el.type)));
  const shown = el => el.getClientRects().length > 0;
  const say = (text, id = "say") => { const box = $(id); if (box) { box.textContent = ""; setTimeout(() => { box.textContent = text; }, 60); } };

  /* Focus and words that the server asked for */
  const arrive = within => {
    const target = within.querySelector("[data-focus]") || (within.matches && within.matches("[data-focus]") ? within : null);
    all("dialog[data-modal]:not([open])").forEach(dialog => { all("[popover]:popover-open").forEach(menu => menu.hidePopover()); dialog.removeAttribute("data-modal"); dialog.showModal(); });
    if (target) { target.removeAttribute("data-focus"); target.focus(); if (target.select && target.type !== "checkbox" && target.type !== "radio") target.select(); }
    const summary = doc.querySelector("[data-error-title]"), prefix = root.dataset.prefix || "";
    if (prefix && doc.title.startsWith(prefix)) doc.title = doc.title.slice(prefix.length);
    if (summary) { root.dataset.prefix = summary.dataset.errorTitle; if (!doc.title.startsWith(root.dataset.prefix)) doc.title = root.dataset.prefix + doc.title; }
    const words = all("[data-say]");
    if (words.length) { say(words.map(el => el.textContent.trim()).join(". ")); words.forEach(el => el.removeAttribute("data-say")); }
    all("input[data-some]").forEach(box => { box.indeterminate = true; });
    all("input[data-toggle]").forEach(toggle);
    all(".s-tab[aria-current]").forEach(tab => { const bar = tab.parentElement; bar.scrollLeft = tab.offsetLeft - bar.offsetLeft - (bar.clientWidth - tab.offsetWidth) / 2; });
    ticked();
  };
  /* With "all", the form carries who was unticked (but) and who was ticked again (too); the server signs that. */
  const tickedOfAll = (form, box) => {
    const ticks = all("[name=sel][type=checkbox]:not([data-outside])", form), every = $("tick-all");
    all("[data-of-all]", form).forEach(field => field.remove());
    let n = Number(box.dataset.count), but = Number(box.dataset.left);
    ticks.forEach(tick => {
      tick.disabled = false; tick.closest("tr").classList.toggle("s-ticked", tick.checked);
      if (tick.checked === tick.defaultChecked) return;
      const field = doc.createElement("input"), by = tick.checked ? 1 : -1;
      field.type = "hidden"; field.name = tick.checked ? "too" : "but"; field.value = tick.value; field.setAttribute("data-of-all", ""); form.append(field);
      n += by; but -= by;
    });
    box.textContent = but > 0 ? box.dataset.but.replace("{n}", n.toLocaleString(root.lang)).replace("{but}", but) : box.dataset.all;
    $("sel-all").hidden = but <= 0; $("selection-bar").classList.remove("s-none");
    all("[data-least]", $("selection-bar")).forEach(button => button.setAttribute("aria-disabled", n < button.dataset.least || n > button.dataset.most));
    if (every) { every.hidden = false; every.checked = ticks.length > 0 && ticks.every(tick => tick.checked); every.indeterminate = !every.checked && ticks.some(tick => tick.checked); }
  };
  const ticked = () => {
    const form = $("sel"), box = $("sel-count"), every = $("tick-all");
    if (!form || !box) return;
    if (form.elements.all) { tickedOfAll(form, box); return; }
    const here = all("input[type=checkbox][name=sel]", form), n = all("[name=sel]:checked, [type=hidden][name=sel]", form).length;
    here.forEach(tick => tick.closest("tr").classList.toggle("s-ticked", tick.checked));
    form.classList.toggle("s-selecting", n > 0 || !!form.elements.select); $("selection-bar").classList.toggle("s-none", !n && !form.elements.select);
    const words = [box.dataset.many, box.dataset.one];
    all("[data-least]", $("selection-bar")).forEach(button => button.setAttribute("aria-disabled", n < button.dataset.least || n > button.dataset.most));
    box.textContent = n > 1 ? words[0].replace("{n}", n) : n ? words[1] : box.dataset.none;
    if (every) { every.hidden = false; every.checked = here.length > 0 && here.every(tick => tick.checked); every.indeterminate = !every.checked && here.some(tick => tick.checked); }
  };
  /* Shift and a click tick everything between the last tick and this one. */
  let before = null;
  const tickTo = (tick, isRange) => {
    const ticks = all("[name=sel][type=checkbox]", tick.form), from = ticks.indexOf(before), to = ticks.indexOf(tick);
    if (isRange && from >= 0) ticks.slice(Math.min(from, to), Math.max(from, to) + 1).forEach(other => { other.checked = tick.checked; });
    before = tick;
  };
  const toggle = box => { const part = $(box.dataset.toggle); if (part) part.hidden = !box.checked; };

  /* Toasts: 20 s, the clock stands while one is pointed at or has the focus */
  const clocks = new WeakMap();
  const close = toast => { clearTimeout(clocks.get(toast)); toast.remove(); };
  const wind = toast => { if (!toast.hasAttribute("data-stay")) clocks.set(toast, setTimeout(() => close(toast), 20000)); };
  const begin = toast => {
    const stop = () => clearTimeout(clocks.get(toast)), on = () => { stop(); if (!toast.matches(":hover, :focus-within")) wind(toast); };
    ["mouseenter", "focusin"].forEach(name => toast.addEventListener(name, stop));
    toast.addEventListener("mouseleave", on); toast.addEventListener("focusout", () => setTimeout(on));
    const text = toast.querySelector("p");
    if (text) say(text.textContent, toast.hasAttribute("data-error") ? "alert" : "say");
    wind(toast);
    /* The newer toast about a thing takes the older one's place: its Undo would change nothing any more. */
    all("[data-about]", $("toasts")).filter(other => other.dataset.about === toast.dataset.about && other.compareDocumentPosition(toast) & 4).forEach(close);
    all("[data-toast]", $("toasts")).slice(0, -3).forEach(close);
  };
  const toastFrom = (id, text) => {
    const toast = $(id).content.firstElementChild.cloneNode(true);
    if (text) toast.querySelector("p").textContent = text;
    $("toasts").append(toast);
    return toast;
  };

  /* Menus: native popovers, put beside their button; older browsers get a class instead */
  const native = "popover" in HTMLElement.prototype;
  const place = (menu, button) => {
    const from = button.getBoundingClientRect(), w = menu.offsetWidth, h = menu.offsetHeight, space = innerHeight - from.bottom;
    const top = space >= h + 12 || from.top < h + 12 ? Math.min(from.bottom + 6, innerHeight - h - 8) : from.top - h - 6;
    const left = Math.min(from.left + w + 8 > innerWidth ? from.right - w : from.left, innerWidth - w - 8);
    menu.style.top = Math.max(8, top) + "px"; menu.style.left = Math.max(8, left) + "px";
  };
  const items = menu => all("a[href], button:not([disabled])", menu).filter(shown);
  let opener = null;
  doc.addEventListener("toggle", event => {
    const menu = event.target;
    if (!menu.matches || !menu.matches("[popover]") || event.newState !== "open") return;
    if (opener) place(menu, opener);
  }, true);
  const closeOld = () => all(".s-menu.s-open").forEach(menu => menu.classList.remove("s-open"));
  const hide = menu => { if (native) { if (menu.matches(":popover-open")) menu.hidePopover(); } else closeOld(); };

  /* Requests: progress, one sending at a time, signed out, no connection */
  let busy = 0, waiting = null, isComing = false;
  /* A form that is sent by each press shows what is saved: what was pressed is in the request, which can be sent again. */
  const truth = el => { const form = el.closest("form[hx-post][hx-trigger*=change]"); if (form) form.reset(); };
  /* Parts that ask again by themselves: not while nobody looks, and what goes wrong with them is nobody's loss. */
  const asks = el => /\bevery\b/.test(el.getAttribute("hx-trigger") || "");
  const again = detail => { const c = detail.requestConfig; window.htmx.ajax(c.verb, c.path, { source: c.elt, target: detail.target, swap: detail.swap, values: Object.fromEntries(c.parameters instanceof FormData ? c.parameters : Object.entries(c.parameters || {})) }); };
  const buttons = el => (el.tagName === "FORM" ? all("button:not([type=button])", el) : el.tagName === "BUTTON" ? [el] : []);
  const lock = (el, on) => buttons(el).forEach(button => { if (on) button.setAttribute("aria-disabled", "true"); else button.removeAttribute("aria-disabled"); });
  /* Forms that Save: nobody leaves one that was changed without being asked. Their Cancel asks nothing. */
  const KEEP = "main form.s-form[method=post]:not([data-download]), main form[data-keep]";
  const unsaved = () => all(KEEP).filter(form => (form.dataset.changed || form.querySelector("[data-error-title]")) && !form.dataset.sending);
  doc.addEventListener("input", event => { const form = event.target.form; if (form && form.matches(KEEP) && !event.target.matches("[type=search]")) form.dataset.changed = "1"; });
  addEventListener("beforeunload", event => { if (unsaved().length) { event.preventDefault(); event.returnValue = true; } });
  const loses = ({ elt, target }) => unsaved().some(form => target.contains(form) && !form.contains(elt)) && !confirm(doc.body.dataset.unsaved);
  const changed = (elt, on) => { if (elt.matches(KEEP)) { if (on) elt.dataset.changed = "1"; else delete elt.dataset.changed; } };
  doc.addEventListener("htmx:afterSwap", ({ detail }) => { const form = detail.requestConfig.elt.closest("form"), fresh = form && form !== detail.requestConfig.elt && form.dataset.changed && $(form.id); if (fresh) changed(fresh, true); });
  doc.addEventListener("htmx:beforeRequest", event => { const detail = event.detail; if (asks(detail.elt)) { if (doc.hidden) event.preventDefault(); return; } if (loses(detail)) { event.preventDefault(); return; } changed(detail.elt, false); busy += 1; root.classList.add("s-busy"); lock(detail.elt, true); detail.target.setAttribute("aria-busy", "true"); });
  doc.addEventListener("htmx:afterRequest", ({ detail }) => { if (asks(detail.elt)) return; busy = Math.max(0, busy - 1); if (!busy) root.classList.remove("s-busy"); lock(detail.elt, false); detail.target.removeAttribute("aria-busy"); });
  doc.addEventListener("htmx:sendError", ({ detail }) => failed(detail));
  doc.addEventListener("htmx:timeout", ({ detail }) => failed(detail));
  const failed = detail => { changed(detail.elt, true); if (detail.elt.id === "search" || asks(detail.elt)) return; truth(detail.elt); toastFrom("toast-offline").querySelector("[data-again]").addEventListener("click", event => { close(event.target.closest("[data-toast]")); again(detail); }); };
  doc.addEventListener("htmx:responseError", ({ detail }) => {
    changed(detail.elt, true);
    truth(detail.elt);
    if (detail.xhr.status === 401 && $("signed-out")) { if (!waiting || !asks(detail.elt)) waiting = detail; if (!$("signed-out").open) $("signed-out").showModal(); return; }
    if (asks(detail.elt)) return;
    const words = new DOMParser().parseFromString(detail.xhr.responseText, "text/html").querySelector("[data-reason]");
    toastFrom("toast-refused", words && words.textContent.trim());
  });
  const back = async () => {
    if (!waiting || doc.hidden || isComing) return;
    isComing = true;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null), text = answer && !answer.redirected ? await answer.text().catch(() => "") : "";
    isComing = false;
    const fresh = new DOMParser().parseFromString(text, "text/html"), token = fresh.querySelector("[name=csrfmiddlewaretoken]"), detail = waiting;
    const theirs = JSON.parse(fresh.body.getAttribute("hx-headers") || "{}"), who = theirs["X-Page-User"], own = JSON.parse(doc.body.getAttribute("hx-headers"))["X-Page-User"];
    if (!detail || !who || (who === own && !answer.ok)) return;
    /* The page stays its user's: under another account the server does nothing and has it loaded anew. */
    doc.body.setAttribute("hx-headers", JSON.stringify({ ...theirs, "X-Page-User": own }));
    if (token && who === own) all("[name=csrfmiddlewaretoken]").forEach(field => { field.value = token.value; });
    waiting = null;
    if (detail.requestConfig.parameters.delete) detail.requestConfig.parameters.delete("csrfmiddlewaretoken");
    $("signed-out").close(); again(detail);
  };
  addEventListener("focus", back); doc.addEventListener("visibilitychange", back);
  doc.addEventListener("close", event => { if (event.target.id === "signed-out") waiting = null; }, true);
  doc.addEventListener("htmx:afterSettle", ({ detail }) => arrive(detail.elt));
  doc.addEventListener("htmx:oobAfterSwap", ({ detail }) => arrive(detail.target));
  doc.addEventListener("submit", event => {
    const form = event.target;
    if (event.defaultPrevented || form.method === "dialog") return;
    /* A file leaves the page as it was: what was wrong with the try before goes; a new refusal brings a new page. */
    if (form.hasAttribute("data-download")) { all(".s-summary, .s-errors", form).forEach(note => note.remove()); all("[aria-invalid]", form).forEach(field => field.removeAttribute("aria-invalid")); if (root.dataset.prefix && doc.title.startsWith(root.dataset.prefix)) doc.title = doc.title.slice(root.dataset.prefix.length); return; }
    if (form.dataset.sending) { event.preventDefault(); return; }
    if (form.method === "post" && !form.matches("[hx-post]")) { form.dataset.sending = "1"; setTimeout(() => lock(form, true)); }
  });
  addEventListener("pageshow", () => all("form[data-sending]").forEach(form => { delete form.dataset.sending; lock(form, false); }));

  /* Search: a listbox driven from the field */
  const field = $("search"), hits = $("search-results");
  const options = () => (hits ? all("[role=option]", hits) : []);
  const mark = el => {
    options().forEach(option => option.setAttribute("aria-selected", String(option === el)));
    if (el) { if (!el.id) el.id = "hit-" + options().indexOf(el); field.setAttribute("aria-activedescendant", el.id); el.scrollIntoView({ block: "nearest" }); } else field.removeAttribute("aria-activedescendant");
  };
  const openHits = on => { if (!field || !hits) return; hits.hidden = !on; field.setAttribute("aria-expanded", String(on)); if (!on) mark(null); };
  if (field && hits) {
    /* Enter opens what was found for what is typed now, never for what was */
    hits.addEventListener("htmx:afterSwap", ({ detail }) => { openHits(doc.activeElement === field && hits.children.length > 0); if (field.value.trim() && !hits.hidden && new URL(detail.xhr.responseURL).searchParams.get("q") === field.value) mark(options()[0]); });
    field.addEventListener("input", () => mark(null));
    field.addEventListener("blur", () => setTimeout(() => { if (!hits.contains(doc.activeElement)) openHits(false); }, 150));
    hits.addEventListener("mousedown", event => event.preventDefault());
    hits.addEventListener("click", event => { const option = event.target.closest("[role=option]"), link = option && (option.matches("a") ? null : option.querySelector("a")); if (link && event.target.closest("a") !== link) link.click(); });
    field.addEventListener("keydown", event => {
      const list = options(), at = list.findIndex(option => option.getAttribute("aria-selected") === "true");
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        if (!list.length) return;
        event.preventDefault(); openHits(true);
        mark(list[(at + (event.key === "ArrowDown" ? 1 : at < 0 ? 0 : -1) + list.length) % list.length]);
      } else if (event.key === "Enter" && at >= 0 && !hits.hidden) { event.preventDefault(); (list[at].matches("a") ? list[at] : list[at].querySelector("a") || list[at]).click(); }
      else if (event.key === "Escape") { if (field.value || !hits.hidden) event.preventDefault(); if (hits.hidden) field.value = ""; openHits(false); if (!field.value) field.blur(); }
    });
  }

  doc.addEventListener("click", event => {
    const el = event.target, hit = css => el.closest(css);
    if (hit("[aria-disabled=true]")) { event.preventDefault(); event.stopImmediatePropagation(); return; }
    opener = hit("[popovertarget]") || opener;
    if (!native) {
      const button = hit("[popovertarget]"), menu = button && $(button.getAttribute("popovertarget")), open = menu && menu.classList.contains("s-open");
      if (!hit(".s-menu") || button) closeOld();
      if (menu && !open) { menu.classList.add("s-open"); place(menu, button); }
    }
    const toast = hit("[data-close-toast]"); if (toast) { close(toast.closest("[data-toast]")); return; }
    const open = hit("[data-open]"); if (open) { const menu = hit("[popover]"); if (menu) hide(menu); $(open.dataset.open).showModal(); return; }
    if (hit("[data-close]")) { const dialog = hit("dialog"); if (dialog) dialog.close(); return; }
    if (el.tagName === "DIALOG") { const box = el.getBoundingClientRect(); if (event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom) el.close(); return; }
    const copy = hit("[data-copy]"); if (copy) { navigator.clipboard.writeText(copy.dataset.copy).then(() => say(copy.dataset.copied || copy.dataset.copy)); copy.classList.add("s-copied"); return; }
    if (hit("[data-print]")) { print(); return; }
    const off = hit("form .s-actions a"); if (off) { const form = off.closest("form"); delete form.dataset.changed; all(".s-summary", form).forEach(note => note.remove()); return; }
    const put = hit("[data-insert]"); if (put) { const box = $(put.dataset.into); box.focus(); box.setRangeText(put.dataset.insert, box.selectionStart, box.selectionEnd, "end"); box.dispatchEvent(new Event("input", { bubbles: true })); return; }
    if (el.matches("#sel [name=sel]")) { tickTo(el, event.shiftKey); return; }
    const row = hit("[data-row]");
    if (row && !hit("a, button, input, label, select, summary, [popover]") && !String(getSelection())) { const link = row.querySelector("a[href]"); if (link) { if (event.ctrlKey || event.metaKey) open_(link.href); else link.click(); } }
  }, true);
  const open_ = href => window.open(href, "_blank", "noopener");
  /* A field follows a choice while it holds nothing, or what goes with a choice. */
  const follow = choice => { const field = $(choice.dataset.into), usual = JSON.parse(choice.dataset.usual); if (!field.value || Object.values(usual).includes(Number(field.value))) field.value = usual[choice.value]; };
  /* What was wrong with a field is no news once it was changed; the next answer says whether it is right. */
  const corrected = field => {
    field.removeAttribute("aria-invalid");
    const part = field.closest(".s-field"), line = doc.querySelector(`.s-summary a[href="#${field.id}"]`);
    if (part) all(".s-errors", part).forEach(note => note.remove());
    if (line) line.closest("li").remove();
  };
  doc.addEventListener("change", event => { const el = event.target; if (el.matches("[aria-invalid]")) corrected(el); if (el.matches("[data-usual]")) follow(el); if (el.matches("[data-submit]")) el.form.requestSubmit(); if (el.matches("[data-toggle]")) toggle(el); if (el.matches("[data-tick-all]")) all("[name=sel][type=checkbox]:not([data-outside])", el.form).forEach(tick => { tick.checked = el.checked; }); if (el.form && el.form.id === "sel") ticked(); });

  /* Keys */
  let first = "", timer = 0;
  const press = key => {
    const found = all("[data-key]").filter(el => el.dataset.key.split("|").includes(key)), el = found.find(shown) || found[0];
    if (!el) return false;
    if (typing(el)) { el.focus(); el.select(); } else el.click();
    return true;
  };
  const rowStep = by => {
    const rows = all("[data-row]").filter(shown); if (!rows.length) return false;
    const at = rows.findIndex(row => row.contains(doc.activeElement)), row = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))], link = row.querySelector("a[href]");
    if (link) link.focus();
    return true;
  };
  doc.addEventListener("keydown", event => {
    const el = doc.activeElement, menu = el && el.closest("[popover]"), ctrl = event.ctrlKey || event.metaKey;
    if (event.isComposing || event.defaultPrevented) return;
    if (menu && /^Arrow(Up|Down)$|^(Home|End)$/.test(event.key)) { const list = items(menu), at = list.indexOf(el), to = event.key === "Home" ? 0 : event.key === "End" ? list.length - 1 : at + (event.key === "ArrowDown" ? 1 : -1); list[(to + list.length) % list.length].focus(); event.preventDefault(); return; }
    if (!menu && event.key === "ArrowDown" && el && el.matches("[popovertarget]")) { const target = $(el.getAttribute("popovertarget")); opener = el; if (native && !target.matches(":popover-open")) target.showPopover(); if (items(target)[0]) items(target)[0].focus(); event.preventDefault(); return; }
    if (ctrl && !event.shiftKey && event.key === "k" && field && !doc.querySelector("dialog[open]")) { event.preventDefault(); field.focus(); field.select(); return; }
    if (ctrl && event.key === "Enter" && el && el.form) { event.preventDefault(); el.form.requestSubmit(); return; }
    if (ctrl && !event.shiftKey && event.key === "z" && !typing(el)) { const undo = all("[data-undo]").pop(); if (undo) { event.preventDefault(); undo.click(); } return; }
    if (event.key === "Enter" && el && el.matches("#sel [name=sel]")) { event.preventDefault(); el.closest("tr").querySelector("a[href]").click(); return; }
    if (ctrl && event.key === "a" && !typing(el) && el && el.closest("#sel")) { const every = $("tick-all"); if (every && !every.checked) every.click(); event.preventDefault(); return; }
    if (event.key === "Escape" && (!typing(el) || el.id === "q")) {
      const list = $("q"), bar = $("selection-bar");
      if (doc.querySelector(native ? ":popover-open, dialog[open]" : ".s-menu.s-open, dialog[open]")) return;
      if (list && list.value) { list.value = ""; list.dispatchEvent(new Event("search")); event.preventDefault(); } else if (bar && shown(bar)) { $("sel-clear").click(); event.preventDefault(); }
      return;
    }
    if (ctrl || event.altKey || typing(el) || !doc.body.hasAttribute("data-shortcuts") || doc.querySelector("dialog[open]")) return;
    const key = event.key, pair = first + key;
    clearTimeout(timer);
    if (first) { first = ""; if (press(pair)) event.preventDefault(); return; }
    if (key === "g") { first = "g "; timer = setTimeout(() => { first = ""; }, 1200); return; }
    if (key === "?" && $("keys")) { event.preventDefault(); $("keys").showModal(); return; }
    if (key === "x" && el && el.closest("[data-row]")) { const tick = el.closest("[data-row]").querySelector("[name=sel]"); if (tick) { tick.click(); event.preventDefault(); return; } }
    if ((key === "j" && rowStep(1)) || (key === "k" && rowStep(-1))) { event.preventDefault(); return; }
    if (/^Arrow/.test(key) && el && el !== doc.body && el.matches("input, [role=option], summary")) return;
    if (press(key)) event.preventDefault();
  });

  const start = () => {
    const box = $("toasts");
    if (box) { all("[data-toast]", box).forEach(begin); new MutationObserver(changes => changes.forEach(change => change.addedNodes.forEach(node => { if (node.matches && node.matches("[data-toast]")) begin(node); }))).observe(box, { childList: true }); }
    all(".s-tab[aria-current]").forEach(tab => { tab.parentElement.scrollLeft = tab.offsetLeft - (tab.parentElement.clientWidth - tab.offsetWidth) / 2; });
    arrive(doc);
  };
  if (doc.readyState === "loading") doc.addEventListener("DOMContentLoaded", start); else start();
})();
