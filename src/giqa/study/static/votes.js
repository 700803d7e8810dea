// Answers on their way to the server: each has an id and stays in this browser until the server has said that it is kept.
"use strict";

function chance() { // crypto.randomUUID is missing on plain http
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

class Votes {
  constructor(rater) {
    this.prefix = `giqa:${rater}:`; // one entry a vote, so that two tabs do not overwrite each other's
    this.memory = new Map(); // where the browser keeps nothing
  }

  add(vote) {
    const kept = { id: chance(), revision: 0, at: Date.now(), ...vote };
    this.memory.set(kept.id, kept);
    try { localStorage.setItem(this.prefix + kept.id, JSON.stringify(kept)); } catch { /* memory has it */ }
    return kept;
  }

  waiting() {
    const all = new Map(this.memory);
    try {
      for (let i = 0; i < localStorage.length; i++) {
        const key = localStorage.key(i);
        if (key.startsWith(this.prefix)) all.set(key.slice(this.prefix.length), JSON.parse(localStorage.getItem(key)));
      }
    } catch { /* memory has it */ }
    return [...all.values()].sort((a, b) => a.at - b.at || a.revision - b.revision);
  }

  forget(id) {
    this.memory.delete(id);
    try { localStorage.removeItem(this.prefix + id); } catch { /* it was never there */ }
  }
}
