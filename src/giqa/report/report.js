"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  $("data").textContent = ""; // free the text: with 10,000 thumbnails it is 20 MB

  const number = (v) => (v === null ? NaN : v === "inf" ? Infinity : v === "-inf" ? -Infinity : v);
  const column = (name) => Float64Array.from(data[name], number);
  const ids = data.ids, n = ids.length;
  const score = column("score"), z = column("z"), percentile = column("percentile");
  const low = column("z_low"), high = column("z_high");
  const copyOf = data.flags.duplicate_of, errors = data.flags.error, notes = data.flags.notes;
  const foreign = data.flags.out_of_domain, explained = data.explained, reasons = data.flags.reason;
  const detail = data.detail && column("detail");
  const people = data.people && { p: Float64Array.from(data.people.p_real, number), low: Float64Array.from(data.people.p_real_low, number), high: Float64Array.from(data.people.p_real_high, number) };
  const text = data.text && Object.fromEntries(Object.entries(data.text).map(([name, values]) => [name.replace("text_", ""), Float64Array.from(values, number)]));
  const headline = data.believed && people; // else it is said of a single picture only, with the caution

  const minus = (text) => text.replace("-", "−");
  const show = (x, digits = 2) => Number.isNaN(x) ? "–" : x === Infinity ? "∞" : x === -Infinity ? "−∞"
    : minus(Math.abs(x) >= 1e5 ? x.toExponential(1) : x.toFixed(Math.abs(x) >= 100 ? 0 : Math.abs(x) >= 10 ? 1 : digits));
  const LOWEST = -10; // a z below it says nothing more; the CSV keeps the number
  const showZ = (v) => (Number.isFinite(v) && v < LOWEST ? "below " + minus(String(LOWEST)) : show(v));
  const percent = (p) => { const x = 100 * p, near = Math.round(10 * x) / 10; return x.toFixed((near > 0 && near < 1) || (near > 99 && near < 100) ? 1 : 0) + " %"; };
  const count = (k) => k.toLocaleString("en");
  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const picture = (code, alt) => {
    const made = element("img");
    made.decoding = "async"; made.alt = alt; made.draggable = false;
    made.src = "data:image/webp;base64," + code;
    return made;
  };

  // ---- order and rank, which is among all pictures of the set, shown or not; 0 has no score
  const rows = Array.from({ length: n }, (_, i) => i);
  const rank = data.rank;
  const scored = rows.filter((i) => rank[i]).sort((a, b) => rank[a] - rank[b] || a - b);
  const failed = rows.filter((i) => Number.isNaN(score[i]));
  const unshown = data.unshown && { n: data.unshown.n, z: data.unshown.z.map(number) }; // the z of a few, for them all
  const total = scored.length + (unshown ? unshown.n : 0);
  const orders = { best: () => [...scored, ...failed], worst: () => [...scored].reverse().concat(failed),
    id: () => { const c = new Intl.Collator("en", { numeric: true }); return [...rows].sort((a, b) => c.compare(ids[a], ids[b])); } };
  if (people) { // where nothing could be computed: last
    const known = rows.filter((i) => !Number.isNaN(people.p[i])), others = rows.filter((i) => Number.isNaN(people.p[i]));
    orders.real = () => known.toSorted((a, b) => people.p[b] - people.p[a] || a - b).concat(others);
    orders.unreal = () => known.toSorted((a, b) => people.p[a] - people.p[b] || a - b).concat(others);
  }
  if (text) { // where there is no text: last
    const known = rows.filter((i) => !Number.isNaN(text.quality[i])), others = rows.filter((i) => Number.isNaN(text.quality[i]));
    orders.text = () => known.toSorted((a, b) => text.quality[a] - text.quality[b] || a - b).concat(others);
  }
  if (reasons) { // the most frequent reason first, the worst picture of each first
    const often = {};
    for (const i in reasons) often[reasons[i]] = (often[reasons[i]] || 0) + 1;
    orders.reason = () => orders.worst().toSorted((a, b) => (often[reasons[b]] || 0) - (often[reasons[a]] || 0) || (reasons[a] || "").localeCompare(reasons[b] || ""));
  }
  const [rankLow, rankHigh] = data.order;
  const ordered = {};
  const lowered = ids.map((id) => id.toLowerCase());

  const state = { sort: "best", show: "kept", text: "", reason: "", min: -Infinity };
  let list = [], kept = [], active = 0, open = false;

  // ---- the chart: shares a bin, on an axis that is compressed when a weak generator lies far out
  const bins = data.histogram;
  const edges = bins ? bins.edges.map(number) : [-4, 4];
  const bottom = edges[0], top = edges[edges.length - 1];
  const warp = bins && bins.compressed ? (x) => Math.asinh(x / 4) : (x) => x;
  const unwarp = bins && bins.compressed ? (x) => 4 * Math.sinh(x) : (x) => x;
  const part = (x) => Math.min(1, Math.max(0, (warp(x) - warp(bottom)) / (warp(top) - warp(bottom)))); // 0..1 along the axis
  const at = (share) => unwarp(warp(bottom) + share * (warp(top) - warp(bottom)));
  const sum = (values) => values.reduce((a, b) => a + b, 0);

  const svg = (tag, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const steps = (counts, x, y) => { // a histogram's outline, closed on the baseline
    const total = sum(counts) || 1;
    const bars = counts.map((c, k) => `L${x(edges[k])},${y(c / total)}L${x(edges[k + 1])},${y(c / total)}`);
    return `M${x(bottom)},${y(0)}${bars.join("")}L${x(top)},${y(0)}Z`;
  };
  const ticks = (width) => {
    const spaced = [], least = 40 / width;
    const wish = [0];
    if (bins.compressed) for (let k = 1; k < 1e12; k *= 10) wish.push(-3 * k, 3 * k, -10 * k, 10 * k);
    else { const every = [1, 2, 5].find((s) => s / (top - bottom) > least) || 10; for (let k = every; k < 100; k += every) wish.push(-k, k); }
    for (const t of wish) if (t >= bottom && t <= top && spaced.every((s) => Math.abs(part(s) - part(t)) > least)) spaced.push(t);
    return spaced;
  };
  let moveCut = () => {};

  const drawChart = () => {
    const box = $("chart"), width = box.clientWidth, height = 190;
    box.textContent = "";
    if (!bins || !width) { box.append(element("p", "quiet", bins ? "" : "No picture has a z, so there is nothing to compare.")); return; }
    const left = 44, right = 10, foot = 44, head = 20;
    const x = (v) => +(left + part(v) * (width - left - right)).toFixed(1);
    const most = Math.max(...[bins.fakes, bins.reals].map((c) => Math.max(...c) / (sum(c) || 1))) || 1;
    const y = (share) => +(height - foot - (share / most) * (height - foot - head)).toFixed(1);
    const words = "Histogram of z. " + ["fakes", "reals"].map((name) => { // the bin where half is reached
      const total = sum(bins[name]); let seen = 0;
      const k = bins[name].findIndex((c) => (seen += c) >= total / 2);
      return total ? `${name === "fakes" ? "These pictures" : "Real pictures"}: middle near ${show((edges[k] + edges[k + 1]) / 2, 1)}.` : "";
    }).join(" ");
    const plot = svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": words });
    const nice = [.01, .02, .05, .1, .2, .5, 1].find((s) => s >= most / 3.5) || 1;
    for (let s = 0; s <= most * 1.001; s += nice) {
      plot.append(svg("line", { class: "axis", x1: left, x2: width - right, y1: y(s), y2: y(s) }),
        svg("text", { x: left - 8, y: y(s) + 4, "text-anchor": "end" }, Math.round(100 * s) + " %"));
    }
    for (const t of ticks(width - left - right)) plot.append(svg("text", { x: x(t), y: height - foot + 17, "text-anchor": "middle" }, minus(String(t))));
    plot.append(svg("text", { x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" },
      width < 600 ? "z: ← worse · 0 = typical real" : "z: ← worse · 0 = like a typical real picture · better →"));
    if (sum(bins.reals)) plot.append(svg("path", { class: "real", d: steps(bins.reals, x, y) }));
    if (sum(bins.fakes)) plot.append(svg("path", { class: "fake", d: steps(bins.fakes, x, y) }));
    const veil = svg("rect", { class: "veil", x: left, y: head - 8, height: height - foot - head + 8 });
    const cut = svg("line", { class: "cut", y1: head - 4, y2: height - foot });
    const label = svg("text", { class: "cut-label", y: head - 8 });
    plot.append(veil, cut, label);
    moveCut = () => {
      const place = x(state.min), after = place < width - 130;
      for (const shape of [veil, cut, label]) shape.setAttribute("visibility", state.min === -Infinity ? "hidden" : "visible");
      veil.setAttribute("width", Math.max(0, place - left));
      cut.setAttribute("x1", place); cut.setAttribute("x2", place);
      label.setAttribute("x", place + (after ? 6 : -6)); label.setAttribute("text-anchor", after ? "start" : "end");
      label.textContent = "keep z ≥ " + show(state.min);
    };
    const value = (event) => { // 0..1 along the axis
      const r = plot.getBoundingClientRect();
      return Math.min(1, Math.max(0, (event.clientX - r.left - left) / (r.width - left - right)));
    };
    plot.addEventListener("pointermove", (event) => { readBin(value(event)); if (event.buttons === 1) setSlider(value(event)); });
    plot.addEventListener("pointerleave", () => readBin(null));
    plot.addEventListener("click", (event) => setSlider(value(event)));
    box.append(plot);
    readBin(null); moveCut();
  };
  const readBin = (share) => {
    const of = (name, k) => `${count(bins[name][k])} (${percent(bins[name][k] / sum(bins[name]))})`;
    if (share === null) {
      const [below, above, realBelow, realAbove] = bins.outside;
      const out = (k, real, words) => (k || real ? `${count(k)}${real ? ` (and ${count(real)} real)` : ""} ${words}` : "");
      const parts = [out(below, realBelow, "below " + minus(String(bottom))), out(above, realAbove, "above " + minus(String(top)))].filter(Boolean);
      $("chart-note").textContent = (parts.length ? parts.join(", ") + ": counted in the end bars. " : "")
        + (bins.compressed ? "The axis is compressed far from 0. " : "") + "Click or drag to set what to keep.";
      return;
    }
    const k = Math.min(bins.fakes.length - 1, Math.floor(share * bins.fakes.length));
    const words = [["fakes", "of these pictures"], ["reals", "of the reals"]].filter(([name]) => sum(bins[name])).map(([name, which]) => of(name, k) + " " + which);
    $("chart-note").textContent = `z ${show(edges[k], 1)} to ${show(edges[k + 1], 1)}: ${words.join(", ")}`;
  };

  // ---- what is kept and shown
  const setMin = (value) => { // NaN or below the axis: everything
    state.min = Number.isFinite(value) ? value : -Infinity;
    const slider = $("min-slider");
    slider.value = state.min === -Infinity ? 0 : Math.round(1000 * part(state.min));
    slider.setAttribute("aria-valuetext", state.min === -Infinity ? "any z" : "z at least " + show(state.min));
    apply(false);
  };
  const setSlider = (share) => {
    const value = share <= 0 ? -Infinity : +at(share).toFixed(2);
    $("min-number").value = value === -Infinity ? "" : value;
    setMin(value);
  };
  const keptInAll = () => { // how many pictures of the set, and the word for a number that is not exact
    if (!unshown || state.min === -Infinity) return [unshown ? total : kept.length, ""];
    const reach = unshown.z.filter((v) => v >= state.min).length, few = unshown.z.length;
    const exact = few === unshown.n || reach === 0 || reach === few;
    return [kept.length + (few ? Math.round(unshown.n * reach / few) : 0), exact ? "" : "about "];
  };
  const apply = (restart) => {
    const keeps = (i) => !Number.isNaN(score[i]) && (state.min === -Infinity || z[i] >= state.min);
    const order = (ordered[state.sort] ||= orders[state.sort]());
    kept = order.filter(keeps);
    const sets = { kept, dropped: order.filter((i) => !keeps(i) && !Number.isNaN(score[i])),
      failed: order.filter((i) => Number.isNaN(score[i])), copies: order.filter((i) => copyOf[i]),
      foreign: order.filter((i) => foreign[i] && !damaged(i)), unclear: order.filter((i) => foreign[i] && damaged(i)), explained: order.filter((i) => explained[i]) };
    for (const [name, members] of Object.entries(sets)) if ($("n-" + name)) $("n-" + name).textContent = count(members.length);
    const wanted = list[active], text = state.text.toLowerCase();
    list = sets[state.show];
    if (state.reason) list = list.filter((i) => reasons[i] === state.reason);
    if (text) list = list.filter((i) => lowered[i].includes(text));
    active = restart ? 0 : Math.max(0, list.indexOf(wanted));
    const others = unshown || state.show !== "kept" || text || state.reason ? ` · ${count(list.length)} shown` : "";
    const [every, about] = keptInAll();
    $("count").textContent = `${about}${count(every)} of ${count(total)} kept` + (total ? ` (${percent(every / total)})` : "") + others;
    $("save-text").disabled = $("save-csv").disabled = !kept.length;
    $("empty").hidden = list.length > 0;
    $("empty").textContent = text ? "No id here contains that text." : state.reason ? "No picture here has that reason."
      : state.show === "kept" && scored.length ? "No picture reaches this z; lower the threshold." : "No pictures here.";
    for (const [k, cell] of cells) if (+cell.dataset.row !== list[k]) drop(k); // what stays is not drawn anew
    moveCut(); layout();
    if (restart && $("gallery").getBoundingClientRect().top < 0) window.scrollTo(0, window.scrollY + $("browse").getBoundingClientRect().top);
    if (open) list.length ? showDetail() : closeDetail();
    remember();
  };

  // ---- the address says what is seen, so that it can be sent to somebody who has the file
  let noted = 0, known = location.hash;
  const remember = () => { clearTimeout(noted); noted = setTimeout(note, 200); }; // a drag of the slider is one change
  const note = () => {
    if (location.hash !== known) return; // it was changed meanwhile, and is about to be recalled
    const seen = new URLSearchParams();
    if (state.min !== -Infinity) seen.set("z", state.min);
    if (state.sort !== "best") seen.set("sort", state.sort);
    if (state.show !== "kept") seen.set("show", state.show);
    if (open && list.length) seen.set("picture", ids[list[active]]);
    const address = `${seen}` && `#${seen}`;
    try { if (location.hash !== address) history.replaceState(null, "", address || location.pathname + location.search); }
    catch { /* a page inside of another one may not change its address */ }
    known = location.hash;
  };
  const recall = () => {
    known = location.hash;
    const seen = new URLSearchParams(location.hash.slice(1));
    for (const [name, usual] of [["sort", "best"], ["show", "kept"]]) {
      const inputs = [...document.querySelectorAll(`input[name=${name}]`)];
      const chosen = inputs.find((input) => input.value === seen.get(name)) || inputs.find((input) => input.value === usual);
      chosen.checked = true; state[name] = chosen.value;
    }
    const least = parseFloat(seen.get("z"));
    $("min-number").value = Number.isFinite(least) ? least : "";
    setMin(least);
    apply(true);
    const k = list.indexOf(ids.indexOf(seen.get("picture")));
    if (k >= 0) { active = k; reveal(); showDetail(); } else if (open) closeDetail();
  };

  // ---- the gallery: only what can be seen is in the document
  const gallery = $("gallery"), cells = new Map();
  const words = Object.keys(reasons || {}).length > 0;
  let columns = 1, side = 100, step = 130;
  const drop = (k) => { cells.get(k).remove(); cells.delete(k); };
  const layout = () => {
    const width = gallery.clientWidth, gap = 8;
    if (!width) return;
    columns = Math.max(1, Math.floor((width + gap) / (104 + gap)));
    side = Math.floor((width + gap) / columns) - gap;
    step = side + (words ? 54 : 36);
    gallery.style.height = Math.ceil(list.length / columns) * step + "px";
    for (const [k, cell] of cells) place(cell, k);
    paint();
  };
  const place = (cell, k) => {
    cell.style.transform = `translate(${(k % columns) * (side + 8)}px, ${Math.floor(k / columns) * step}px)`;
    cell.style.width = side + "px"; cell.style.height = step - 8 + "px";
    cell.firstChild.style.height = side - 4 + "px";
  };
  const level = (i) => (Number.isNaN(z[i]) ? "" : z[i] >= -1 ? " good" : z[i] >= -3 ? " fair" : " poor");
  const damaged = (i) => reasons?.[i] && !["structure", "content"].includes(reasons[i]);
  const lowest = (i) => percentile[i] <= 1.0001 / (data.held_out + 1);
  const makeCell = (k) => {
    const i = list[k], cell = element("div", "cell" + level(i)), frame = element("span", "frame"), caption = element("span", "caption");
    cell.id = "cell-" + k; cell.dataset.position = k; cell.dataset.row = i;
    cell.setAttribute("role", "option"); cell.setAttribute("aria-posinset", k + 1);
    const said = element("span", "unseen", rank[i] ? `rank ${rank[i]}, ${ids[i]}, z ${showZ(z[i])}, ${lowest(i) ? "below all reals" : "percentile " + percent(percentile[i])}${reasons?.[i] ? ", " + reasons[i] : ""}${headline ? `, called real ${percent(people.p[i])}` : ""}` : `${ids[i]}, no score`);
    frame.append(data.thumbnails[i] ? picture(data.thumbnails[i], "") : element("span", "name", ids[i]));
    if (rank[i]) frame.append(element("span", "rank", count(rank[i])));
    if (copyOf[i] || foreign[i]) frame.append(element("span", "mark", copyOf[i] ? "copy" : damaged(i) ? "content unclear" : "out of domain"));
    else if (explained[i]?.[0]) frame.append(element("span", "mark", "map"));
    caption.append(element("b", "", rank[i] ? showZ(z[i]) : "no score"));
    const share = headline ? people.p[i] : percentile[i];
    if (headline ? !Number.isNaN(share) : !lowest(i) && !Number.isNaN(share)) caption.append(element("i", "", percent(share)));
    for (const part of [frame, caption]) part.setAttribute("aria-hidden", "true"); // `said` has it in words
    cell.append(frame, caption, said); cell.title = ids[i];
    if (words) { const why = element("span", "why", reasons[i] || ""); why.setAttribute("aria-hidden", "true"); cell.append(why); }
    place(cell, k);
    return cell;
  };
  const paint = () => {
    const box = gallery.getBoundingClientRect();
    const first = Math.max(0, Math.floor(-box.top / step) - 2) * columns;
    const last = Math.min(list.length, Math.max(4, Math.ceil((window.innerHeight - box.top) / step) + 2) * columns);
    for (const k of cells.keys()) if (k < first || k >= last) drop(k);
    for (let k = last - 1, after = null; k >= first; k--) { // in the document they stand in their order
      let cell = cells.get(k);
      if (!cell) { cell = makeCell(k); cells.set(k, cell); gallery.insertBefore(cell, after); }
      after = cell;
      cell.classList.toggle("active", k === active);
      cell.setAttribute("aria-selected", open && k === active); cell.setAttribute("aria-setsize", list.length);
    }
    if (cells.has(active)) gallery.setAttribute("aria-activedescendant", "cell-" + active);
    else gallery.removeAttribute("aria-activedescendant");
  };
  const reveal = () => { // scroll just enough
    const y = gallery.getBoundingClientRect().top + Math.floor(active / columns) * step;
    const ceiling = document.querySelector(".keep").offsetHeight + 8;
    if (y < ceiling) window.scrollBy(0, y - ceiling);
    else if (y + step > window.innerHeight) window.scrollBy(0, y + step - window.innerHeight);
    paint();
  };
  const go = (k) => { active = Math.min(list.length - 1, Math.max(0, k)); if (list.length) { reveal(); if (open) showDetail(); } };

  // ---- the detail of one picture
  const narrow = window.matchMedia("(max-width: 999px)");
  const deviations = (v) => Number.isNaN(v) ? "" : Math.abs(v) < 0.5 ? "like a typical real picture"
    : v < LOWEST && Number.isFinite(v) ? "far from any real picture"
    : !Number.isFinite(v) ? (v < 0 ? "beyond any scale worse than a real picture" : "beyond any scale; check for copies of reals")
    : `${show(Math.abs(v), 1)} sd ${v < 0 ? "worse" : "better"} than a typical real picture`;
  const inWords = (p) => p >= 1 ? "As good as or better than every real picture held out."
    : p <= 1.0001 / (data.held_out + 1) ? `Worse than all ${count(data.held_out)} real pictures held out.`
    : `As good as or better than ${percent(p)} of real pictures.`;
  const strip = (i) => { // where the picture and its interval lie among the reals
    const width = 300, height = 58, x = (v) => 6 + part(v) * (width - 12);
    const plot = svg("svg", { viewBox: `0 0 ${width} ${height}`, width: "100%", "aria-hidden": "true" });
    const most = Math.max(...bins.reals) / (sum(bins.reals) || 1) || 1;
    plot.append(svg("path", { class: "real", d: steps(bins.reals, x, (s) => 40 - 34 * s / most) }));
    if (low[i] <= high[i]) plot.append(svg("line", { class: "whisker", x1: x(low[i]), x2: x(high[i]), y1: 40, y2: 40 }),
      svg("path", { class: "whisker", d: `M${x(low[i])},34v12M${x(high[i])},34v12` }));
    plot.append(svg("circle", { class: "dot", cx: x(z[i]), cy: 40, r: 5 }));
    for (const [t, anchor] of [[bottom, "start"], [0, "middle"], [top, "end"]]) {
      plot.append(svg("text", { x: x(t), y: 57, "text-anchor": anchor }, minus(String(t))));
    }
    return plot;
  };
  const nearestReals = (i) => {
    const near = element("ul", "reals");
    for (const [real, distance] of data.neighbours[i]) {
      const item = element("li"), [name, code] = data.reals[real];
      item.append(code ? picture(code, "real picture " + name) : element("span", "blank"),
        element("span", "", "distance " + show(number(distance))), element("span", "id", name));
      near.append(item);
    }
    return near;
  };
  const chance = (i) => { // p and its interval on a line from 0 to 100 %
    const width = 300, x = (v) => 6 + v * (width - 12);
    const plot = svg("svg", { class: "scale", viewBox: `0 0 ${width} 34`, width: "100%", "aria-hidden": "true" });
    plot.append(svg("line", { class: "track", x1: x(0), x2: x(1), y1: 10, y2: 10 }),
      svg("line", { class: "band", x1: x(people.low[i]), x2: x(people.high[i]), y1: 10, y2: 10 }),
      svg("circle", { class: "dot", cx: x(people.p[i]), cy: 10, r: 6 }));
    for (const [t, anchor] of [[0, "start"], [.5, "middle"], [1, "end"]]) plot.append(svg("text", { x: x(t), y: 32, "text-anchor": anchor }, 100 * t + " %"));
    return plot;
  };
  const textBox = (i, frame) => { // the line that is drawn worst, over the picture
    const shown = frame.querySelector("img"), corners = data.flags.text_box?.[i]?.split(" ").map(Number);
    if (!corners) return;
    const draw = () => {
      const w = shown.naturalWidth, h = shown.naturalHeight, plot = svg("svg", { class: "box", viewBox: `0 0 ${w} ${h}`, "aria-hidden": "true" });
      const points = [0, 2, 4, 6].map((k) => `${corners[k] * w},${corners[k + 1] * h}`).join(" ");
      plot.append(svg("polygon", { points }), svg("polygon", { points }));
      frame.append(plot);
    };
    shown.complete && shown.naturalWidth ? draw() : shown.addEventListener("load", draw);
  };
  const showDetail = () => {
    const panel = $("detail"), i = list[active], focused = panel.contains(document.activeElement) && document.activeElement.id;
    const nav = element("div", "nav");
    const button = (id, text, label, act, off) => {
      const made = element("button", "", text);
      made.id = id; made.setAttribute("aria-label", label); made.disabled = off; made.addEventListener("click", act);
      return made;
    };
    nav.append(element("span", "", rank[i] ? `Rank ${count(rank[i])} of ${count(total)}` : "No score"),
      button("previous", "‹", "Previous picture", () => go(active - 1), active === 0),
      button("next", "›", "Next picture", () => go(active + 1), active === list.length - 1),
      button("close", "×", "Close", closeDetail, false));
    panel.replaceChildren(nav);
    const add = (tag, className, text) => panel.append(element(tag, className, text));
    const heading = (text) => add("h3", "", text);
    if (data.thumbnails[i]) { add("div", "large"); panel.lastChild.append(picture(data.thumbnails[i], ids[i])); if (text) textBox(i, panel.lastChild); }
    add("p", "id", ids[i]);
    if (copyOf[i]) add("p", "notice", `Copy of ${copyOf[i]}: memorised, so its score says nothing about quality.`);
    if (foreign[i]) add("p", "notice", damaged(i) ? `Content unclear: it looks damaged (${reasons[i]}), so it cannot be said whether it shows what the reals show.`
      : "Out of domain: it seems to show something that the reals do not. Its score says how well, not what.");
    if (errors[i]) add("p", "notice", errors[i]);
    else if (!rank[i]) add("p", "notice", "The score is not a number.");
    if (!Number.isNaN(z[i])) {
      const verdict = element("p", "verdict", "z " + showZ(z[i]) + " ");
      verdict.append(element("small", "", deviations(z[i]))); panel.append(verdict);
      if (bins && sum(bins.reals)) panel.append(strip(i));
      if (low[i] <= high[i] && !(z[i] < LOWEST)) add("p", "", `95 % interval ${show(low[i])} to ${show(high[i])}`);
      if (rankLow.length && rank[i]) add("p", "", `In this set it has rank ${[...new Set([rankLow[i], rankHigh[i]])].map(count).join(" to ")} (95 %).`);
    }
    if (!Number.isNaN(percentile[i])) add("p", "", inWords(percentile[i]));
    if (reasons[i]) add("p", "", `What costs most: ${reasons[i]}`);
    if (detail && !Number.isNaN(detail[i])) add("p", "", `Detail ${show(detail[i])}: ${Math.abs(detail[i]) <= 1 ? "like real pictures" : detail[i] < 0 ? "softer than real pictures" : "noisier or sharper than real pictures"}`);
    if (people && !Number.isNaN(people.p[i])) {
      heading("Would people call it real?");
      const verdict = element("p", "verdict", percent(people.p[i]) + " ");
      verdict.append(element("small", "", `of people’s answers; 95 % interval ${percent(people.low[i])} to ${percent(people.high[i])}`));
      panel.append(verdict, chance(i));
      if (!headline) add("p", "notice", "Not to be believed: see “Be careful” at the top of the page.");
    }
    if (text && !Number.isNaN(text.n_text[i])) {
      heading("Text in the picture");
      const lines = text.n_text[i];
      if (!lines) add("p", "", "None was found.");
      else {
        const verdict = element("p", "verdict", show(text.quality[i]) + " ");
        verdict.append(element("small", "", `of 1, which is drawn like real type; 95 % interval ${show(text.quality_low[i])} to ${show(text.quality_high[i])}`));
        panel.append(verdict);
        add("p", "", `${count(lines)} ${lines === 1 ? "line" : "lines, their mean"}${data.thumbnails[i] && lines > 1 ? "; the box shows the one that is drawn worst" : ""}. No rating by people.`);
        if (!Number.isNaN(text.error[i])) add("p", "", `Read: “${data.flags.text_read?.[i] || ""}”; character error rate ${show(text.error[i])}`);
      }
    }
    if (explained[i]) {
      heading("Where it is unlike real pictures");
      if (explained[i][0]) { add("div", "heat"); panel.lastChild.append(picture(explained[i][0], "heat map: red is worse than 99 % of real pictures there")); }
      add("p", "", explained[i][1]);
    }
    if (rank[i]) add("p", "quiet", `Raw score ${Number.isFinite(score[i]) ? minus(String(score[i])) : show(score[i])}`);
    if (notes[i]) { heading("Notes"); add("p", "", notes[i]); }
    if (data.neighbours[i]?.length) { heading("Nearest real pictures"); panel.append(nearestReals(i)); }
    panel.setAttribute("aria-label", "Details of " + ids[i]);
    remember();
    if (focused) ($(focused) && !$(focused).disabled ? $(focused) : $("close")).focus(); // the buttons were made anew
    if (!open) { const before = cellTop(); open = true; shade(); layout(); window.scrollBy(0, cellTop() - before); reveal(); }
    paint();
  };
  const cellTop = () => gallery.getBoundingClientRect().top + Math.floor(active / columns) * step;
  const shade = () => {
    $("detail").hidden = !open;
    $("detail").scrollTop = 0;
    document.body.classList.toggle("detailed", open);
    const covers = open && narrow.matches; // a sheet over the page: nothing behind it takes part
    $("page").inert = covers;
    if (covers) { $("detail").setAttribute("role", "dialog"); $("detail").setAttribute("aria-modal", "true"); $("close")?.focus(); }
    else { $("detail").removeAttribute("role"); $("detail").removeAttribute("aria-modal"); }
  };
  const closeDetail = () => {
    const before = cellTop();
    open = false; shade(); layout();
    window.scrollBy(0, cellTop() - before);
    gallery.focus({ preventScroll: true }); paint();
    remember();
  };

  // ---- what the person does
  gallery.addEventListener("click", (event) => {
    const cell = event.target.closest(".cell");
    if (cell) { active = +cell.dataset.position; gallery.focus({ preventScroll: true }); showDetail(); }
  });
  gallery.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(window.innerHeight / step) - 1) * columns;
    const move = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, PageDown: page, PageUp: -page, Home: -n, End: n }[event.key];
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (move) go(active + move);
    else if ((event.key === "Enter" || event.key === " ") && list.length) showDetail();
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && open) closeDetail();
    if ($("detail").contains(event.target) && (event.key === "ArrowRight" || event.key === "ArrowLeft")) go(active + (event.key === "ArrowRight" ? 1 : -1));
  });
  for (const name of ["sort", "show"]) for (const input of document.querySelectorAll(`input[name=${name}]`)) {
    input.addEventListener("change", () => { state[name] = input.value; apply(true); });
  }
  $("search").addEventListener("input", (event) => { state.text = event.target.value.trim(); apply(true); });
  $("reason")?.addEventListener("change", (event) => { state.reason = event.target.value; apply(true); });
  $("min-slider").addEventListener("input", (event) => setSlider(event.target.value / 1000));
  $("min-number").addEventListener("input", (event) => setMin(event.target.value === "" ? -Infinity : +event.target.value));
  const set = document.getElementById("set").textContent.trim().replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 60) || "pictures";
  const save = (name, type, text) => {
    const link = element("a");
    link.href = URL.createObjectURL(new Blob([text], { type })); link.download = name; link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };
  const ends = (id, three) => { // the best and the worst, with their maps
    if (!$(id)) return;
    for (const i of three) {
      const item = element("li"), button = element("button"), frames = element("span", "frames");
      frames.append(data.thumbnails[i] ? picture(data.thumbnails[i], ids[i]) : element("span", "blank", ids[i]));
      if (explained[i]?.[0]) frames.append(picture(explained[i][0], "heat map"));
      const p = headline && people.p[i], span = headline ? `${percent(people.low[i])} to ${percent(people.high[i])}` : z[i] < LOWEST ? "" : `${show(low[i])} to ${show(high[i])}`;
      button.append(frames, element("b", "", headline ? percent(p) + " real" : "z " + showZ(z[i])), element("small", "", span),
        element("small", "", headline && !Number.isNaN(z[i]) ? "z " + showZ(z[i]) : ""));
      button.title = ids[i];
      button.addEventListener("click", () => reach(i));
      item.append(button); $(id).append(item);
    }
  };
  const reach = (i) => { // whatever is kept or searched for, this one is shown
    $("tab-pictures").click(); $("search").value = state.text = ""; state.reason = ""; if ($("reason")) $("reason").value = ""; setSlider(0);
    document.querySelector("input[name=show][value=kept]").checked = true; state.show = "kept";
    apply(false); active = list.indexOf(i); reveal(); showDetail();
  };
  const byPeople = (name, other) => (headline ? orders[name]().filter((i) => !Number.isNaN(people.p[i])) : orders[other]().filter((i) => rank[i])).slice(0, 3);
  ends("ends-best", byPeople("real", "best")); ends("ends-worst", byPeople("unreal", "worst"));
  const plain = (x) => (Number.isNaN(x) ? "" : x === Infinity ? "inf" : x === -Infinity ? "-inf" : String(x));
  $("save-text").addEventListener("click", () => save(set + "-kept.txt", "text/plain", kept.map((i) => ids[i] + "\n").join("")));
  const harmless = (name) => (/^'*[=+\-@\t\r][^(|!]*[(|!]/.test(name) ? "'" : "") + name;  // no formula, as in scores.csv
  $("save-csv").addEventListener("click", () => save(set + "-kept.csv", "text/csv", `id,rank,score,z,percentile${people ? ",p_real" : ""}${detail ? ",detail" : ""}${text ? ",text_quality" : ""}\n` + kept.map((i) =>
    [`"${harmless(ids[i]).replaceAll('"', '""')}"`, rank[i], plain(score[i]), plain(z[i]), plain(percentile[i]), ...(people ? [plain(people.p[i])] : []), ...(detail ? [plain(detail[i])] : []), ...(text ? [plain(text.quality[i])] : [])].join(",") + "\n").join("")));

  const tabs = [...document.querySelectorAll("[role=tab]")];
  const choose = (tab) => {
    for (const other of tabs) {
      other.setAttribute("aria-selected", other === tab); other.tabIndex = other === tab ? 0 : -1;
      $(other.getAttribute("aria-controls")).hidden = other !== tab;
    }
    layout();
  };
  tabs.forEach((tab, k) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      const to = { ArrowRight: k + 1, ArrowLeft: k - 1 }[event.key];
      if (to !== undefined) { const other = tabs[(to + tabs.length) % tabs.length]; choose(other); other.focus(); }
    });
  });
  let asked = false;
  const later = () => { if (!asked) { asked = true; requestAnimationFrame(() => { asked = false; paint(); }); } };
  window.addEventListener("scroll", later, { passive: true });
  new ResizeObserver(layout).observe(gallery);
  new ResizeObserver(drawChart).observe($("chart"));
  narrow.addEventListener("change", () => { if (open) shade(); });
  window.addEventListener("hashchange", recall);
  recall();
})();
