// One session: asks what is next, shows it, keeps the answer here until the server has it.
"use strict";

const app = document.getElementById("app");
const at = (id) => document.getElementById(id);
const { base, csrf, rater, task } = app.dataset;
const timed = task === "hype-time";
const votes = new Votes(rater);
const words = JSON.parse(app.dataset.words || "{}"); // of a study with questions of its own: English -> what is read
const every = [...document.querySelectorAll("[data-answer]")];
let buttons = every; // those of the question on the screen
const sections = ["ask", "feedback", "rest", "wait", "end"];
const ready = new Map(); // trial -> promise of its decoded pictures

let known = null; // what the server said last
let shown = null; // the question on the screen: {trial, pictures, tutorial, revision}
let last = null; // the one before it, which can be taken back
let asked = 0; // when the question could first be answered
let exposure = null; // ms that the picture was really seen
let rested = -1; // answers at the last break
let sending = null; // the request under way
let patience = 1000; // ms until the next try

function tr(phrase, values = {}) {
  return (words[phrase] || phrase).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

function go(name, focus) {
  if (!timed) at(name === "feedback" ? "why" : "again").after(at("stage")); // what is explained stays in sight
  for (const one of sections) at(one).hidden = one !== name;
  if (focus) at(focus).focus();
}

function say(text) { at("say").textContent = text; }

function trouble(text) {
  at("net").hidden = !text;
  if (at("net").textContent !== text) at("net").textContent = text;
}

function wait(title, text) {
  if (!at("wait").hidden && at("wait-title").textContent === title) return;
  at("wait-title").textContent = title;
  at("wait-text").textContent = text;
  shown = null;
  go("wait", "wait-title");
}

// --- the network: one request at a time, repeated until it is answered

async function talk() {
  const waiting = votes.waiting().slice(0, 50);
  const send = { headers: { "content-type": "application/json", "x-csrf": csrf }, cache: "no-store" };
  if (waiting.length) Object.assign(send, { method: "POST", body: JSON.stringify({ votes: waiting }) });
  const answer = await fetch(base + (waiting.length ? "votes" : "state"), send);
  if (answer.status === 401) {
    location.assign(base.slice(0, -1));
    throw new Error(tr("This session is over; open the link of the study again."));
  }
  const reply = await answer.json();
  if (!answer.ok) throw new Error(reply.error);
  for (const one of reply.results || []) votes.forget(one.id);
  known = reply.results ? reply.state : reply;
  if (known.last && !votes.waiting().length) last = known.last;
  return reply.results || [];
}

function sync() { // resolves with what the server said of the votes; never rejects, but tries again
  sending ||= (async () => {
    const results = [];
    for (;;) {
      try {
        results.push(...await talk());
        trouble("");
        patience = 1000;
        if (!votes.waiting().length) return results;
      } catch (error) {
        const why = error instanceof TypeError ? tr("There is no connection.") : error.message;
        const n = votes.waiting().length;
        const kept = app.dataset.words ? tr("Answers that are kept in this browser and will be sent: {n}.", { n })
          : `${n} answer${n > 1 ? "s are" : " is"} kept in this browser and will be sent.`;
        trouble(`${why} ${n ? kept : tr("Trying again ...")}`);
        await new Promise((done) => {
          const timer = setTimeout(done, patience);
          addEventListener("online", () => { clearTimeout(timer); done(); }, { once: true });
        });
        patience = Math.min(15000, patience * 2);
      }
    }
  })().finally(() => { sending = null; });
  return sending;
}

// --- what is on the screen

function load(question) {
  if (!ready.has(question.trial)) {
    ready.set(question.trial, Promise.all(question.pictures.map(async (address) => {
      for (let pause = 500; ; pause = Math.min(8000, 2 * pause)) {
        const image = new Image();
        image.src = base + address;
        try {
          await image.decode();
          return image;
        } catch {
          await new Promise((done) => setTimeout(done, pause));
        }
      }
    })));
  }
  return ready.get(question.trial);
}

function upcoming() {
  const answered = new Set(votes.waiting().map((vote) => vote.trial));
  return known ? known.next.filter((one) => !answered.has(one.trial)) : [];
}

function count() {
  const waiting = votes.waiting().filter((vote) => vote.revision === 0 && !vote.tutorial).length;
  const done = Math.min(known.total, known.answered + waiting);
  at("done").max = known.total || 1;
  at("done").value = done;
  at("count").textContent = tr("{done} of {total}", { done, total: known.total });
  return done;
}

function advance() { // goes on by itself only where there is nothing to read
  if (!known) return;
  const done = count();
  const next = upcoming();
  for (const question of next) load(question);
  if (!at("rest").hidden || !at("feedback").hidden) return;
  const often = Number(app.dataset.break);
  if (next.length) {
    if (done && done % often === 0 && done !== rested && done < known.total) {
      rested = done;
      shown = null;
      go("rest", "continue");
      say(`${tr("Time for a break")}.`);
    } else if (!shown || shown.trial !== next[0].trial) show(next[0]);
  } else if (votes.waiting().length) {
    wait(tr("One moment"), tr("Your answers are kept in this browser. The next picture comes when the connection is back."));
  } else if (known.state === "done") {
    shown = null;
    at("undo-end").hidden = !last || last.tutorial;
    go("end", "end-title");
  } else if (known.state === "paused") {
    wait(tr("A pause"), tr("This study is paused. Your answers are safe; this page goes on by itself."));
    setTimeout(() => sync().then(advance), 5000);
  }
}

async function show(question) {
  shown = { revision: 0, ...question };
  const again = shown.revision > 0;
  exposure = null;
  for (const button of every) button.disabled = true;
  if (question.question) pose(question);
  at("again").hidden = !again;
  if (timed) at("ready").hidden = true;
  at("undo").hidden = again || !last || last.tutorial || last.trial === question.trial;
  go("ask");
  const mine = shown;
  const pictures = timed && again ? [] : await load(question);
  if (shown !== mine) return; // taken back, or gone meanwhile
  const n = Number(at("done").value) + (again ? 0 : 1);
  const place = question.tutorial ? tr("Example") : tr("Picture {n} of {total}", { n, total: known.total });
  if (question.tutorial && !at("step")) at("count").textContent += ` · ${place}`;
  say(again ? tr("Choose your last answer anew.") : question.text ? `${at("step").textContent} ${question.text}` : `${place}.`);
  if (timed) return prepare(pictures, mine, again);
  pictures.forEach((image, side) => { at(`picture-${side}`).src = image.src; });
  await Promise.all(pictures.map((_, side) => at(`picture-${side}`).decode().catch(() => {})));
  if (shown === mine) open();
}

function pose(question) { // one of several about the same pictures: its words, its answers
  const [n, total] = question.step;
  const parts = question.tutorial ? [tr("Example")] : [tr("Picture {n} of {total}", { n: question.place, total: known.places })];
  if (total > 1) parts.push(tr("Question {n} of {total}", { n, total }));
  at("step").textContent = `${parts.join(" · ")}`;
  at("question").textContent = question.text;
  for (const one of document.querySelectorAll("[data-question]")) one.hidden = one.dataset.question !== question.question;
  buttons = [...document.querySelectorAll(".answers:not([hidden]) [data-answer]")];
}

function open() {
  requestAnimationFrame((now) => {
    asked = now;
    for (const button of every) button.disabled = false;
  });
}

function prepare(pictures, mine, again) {
  at("seen").classList.remove("here");
  at("mask").classList.remove("here");
  if (again) return open();
  const [image] = pictures;
  at("seen").width = image.naturalWidth;
  at("seen").height = image.naturalHeight;
  at("seen").getContext("2d").drawImage(image, 0, 0);
  drawMask(at("mask"), image.naturalWidth, image.naturalHeight);
  at("ready").hidden = false;
  at("ready").focus({ preventScroll: true });
  at("ready").onclick = async () => {
    at("ready").hidden = true;
    at("undo").hidden = true;
    const step = Number(app.dataset.countdown);
    for (const left of step ? [3, 2, 1] : []) {
      at("countdown").textContent = left;
      await new Promise((done) => setTimeout(done, step));
    }
    at("countdown").textContent = "";
    const seen = await expose(at("seen"), at("mask"), mine.exposure);
    if (shown !== mine) return;
    exposure = seen;
    say("Was it real or fake?");
    open();
  };
}

async function answer(value) {
  if (!shown || buttons[0].disabled) return;
  for (const button of every) button.disabled = true;
  const { trial, revision, tutorial } = shown;
  const vote = votes.add({
    trial, revision, tutorial, answer: value, shown_ms: exposure, response_ms: Math.max(0, performance.now() - asked),
  });
  last = { ...shown };
  const back = sync();
  if (tutorial || timed || revision) {
    const results = (await back).concat(votes.waiting().length ? await sync() : []);
    const reply = results.find((one) => one.id === vote.id);
    if (tutorial && reply && "right" in reply) return explain(reply);
    shown = null;
    advance();
  } else {
    shown = null;
    advance(); // on to what was loaded in advance, while the answer travels
    back.then(() => { if (votes.waiting().length) return sync(); }).then(advance);
  }
}

function explainOwn(reply) {
  const label = (answer) => {
    const button = buttons.find((one) => one.dataset.answer === answer);
    return [...button.childNodes].filter((one) => one.nodeName !== "KBD").map((one) => one.textContent.trim()).join(" ").trim();
  };
  at("verdict").textContent = tr(reply.right ? "That is right." : "Not quite.");
  at("why").textContent = tr("Expected: {answer}", { answer: reply.truth.split(",").map(label).join(", ") });
  shown = null;
  go("feedback", "onward");
  say(`${at("verdict").textContent} ${at("why").textContent}`);
}

function explain(reply) {
  if (at("step")) return explainOwn(reply);
  const good = { hype: "That was the right answer.", pairs: "That was the right answer.", rating: "That is how most raters see it." };
  at("verdict").textContent = reply.right ? "Right" : "Not quite";
  const truth = {
    real: "This picture is real.", fake: "This picture was made by a computer.", left: "The left picture is better.",
    right: "The right picture is better.", low: "This picture is broken: 1 or 2 would be usual.",
    high: "This picture is whole: 3, 4 or 5 would be usual.",
  }[reply.truth];
  at("why").textContent = reply.right ? `${good[timed ? "hype" : task]} ${truth}` : truth;
  shown = null;
  go("feedback", "onward");
  say(`${at("verdict").textContent}. ${at("why").textContent}`);
}

async function undo() {
  if (!last || last.tutorial || (at("undo").hidden && at("end").hidden)) return;
  if (votes.waiting().length) await sync();
  const back = known.last && known.last.trial === last.trial ? known.last : last;
  show({ ...back, revision: (back.revision || 0) + 1 });
  buttons[0].focus({ preventScroll: true });
}

for (const button of every) button.addEventListener("click", () => answer(button.dataset.answer));
if (task === "pairs") [0, 1].forEach((side) => at(`picture-${side}`).addEventListener("click", () => answer(["left", "right"][side])));
at("undo").addEventListener("click", undo);
at("undo-end").addEventListener("click", undo);
for (const [button, section] of [["onward", "feedback"], ["continue", "rest"]]) {
  at(button).addEventListener("click", () => {
    at(section).hidden = true;
    advance();
  });
}
addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = { ArrowLeft: 0, ArrowRight: 1 }[event.key];
  const button = buttons.find((one) => one.dataset.key === event.key.toLowerCase())
    || (task !== "rating" && arrow !== undefined ? buttons[arrow] : null);
  if (!at("ask").hidden && button) {
    event.preventDefault();
    answer(button.dataset.answer);
  } else if (event.key === "Backspace") {
    event.preventDefault();
    undo();
  }
});

sync().then(advance);
