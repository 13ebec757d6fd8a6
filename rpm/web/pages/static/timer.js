/* The timer of the person at this browser, as the server tells it.

   It draws nothing of its own: the server's markup ticks, and is fetched anew when the state changed
   here, in another window or on another machine. It sends beats, which say that the page is there
   and for how long nobody has touched anything in any window. */
"use strict";

const channel = new BroadcastChannel("rpm-ledger-timer");
let touchedAt = Date.now();

const touch = () => {
  const now = Date.now();
  if (now - touchedAt > 1000) channel.postMessage({ touchedAt: now });
  touchedAt = now;
};
for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) {
  addEventListener(kind, touch, { passive: true, capture: true });
}

class LedgerTimer extends HTMLElement {
  connectedCallback() {
    this.drawnAt = performance.now();
    this.heard = (event) => this.onMessage(event.data);
    this.left = () => this.leave();
    this.shown = () => { if (!document.hidden) this.counts ? this.beat() : this.redraw(); };
    this.pressed = (event) => this.onKey(event);
    channel.addEventListener("message", this.heard);
    addEventListener("pagehide", this.left);
    document.addEventListener("visibilitychange", this.shown);
    document.addEventListener("keydown", this.pressed);
    this.ticking = setInterval(() => this.tick(), 1000);
    this.beating = setInterval(() => this.beat(), 1000 * Number(this.dataset.beat));
    if (this.dataset.grace !== undefined) {
      this.starting = setTimeout(() => this.start(), 1000 * Number(this.dataset.grace));
    }
    this.beat();
  }

  disconnectedCallback() {
    channel.removeEventListener("message", this.heard);
    removeEventListener("pagehide", this.left);
    document.removeEventListener("visibilitychange", this.shown);
    document.removeEventListener("keydown", this.pressed);
    for (const timer of [this.ticking, this.beating]) clearInterval(timer);
    clearTimeout(this.starting);
  }

  get counts() {
    return this.dataset.state === "running" || this.dataset.state === "asking";
  }

  tick() {
    const clock = this.querySelector(".timer-clock");
    if (!clock || !this.counts) return;
    const passed = Math.floor((performance.now() - this.drawnAt) / 1000);
    const seconds = Number(this.dataset.seconds) + passed;
    const minutes = Math.floor(seconds / 60);
    const rest = seconds % 60;
    clock.textContent = minutes ? `${minutes} min ${String(rest).padStart(2, "0")} s` : `${rest} s`;
  }

  beatBody() {
    const quiet = Math.max(0, Math.floor((Date.now() - touchedAt) / 1000));
    const body = new URLSearchParams({ timer_id: this.dataset.timer, quiet_seconds: Math.min(quiet, 86400) });
    if (this.beaten) {
      // a machine that sleeps stops one of the two; the one that went on tells
      const passed = Math.max(Date.now() - this.beaten.date, performance.now() - this.beaten.time);
      body.set("elapsed_seconds", Math.max(0, Math.round(passed / 1000)));
    }
    return body;
  }

  async beat() {
    if (!this.counts) return;
    let answer;
    const sent = { date: Date.now(), time: performance.now() };
    const body = this.beatBody();
    try {
      answer = await fetch("/time/beat", {
        method: "POST", body, headers: { Accept: "application/json" },
      });
    } catch {
      this.connected(false);
      return;
    }
    if (answer.status === 401) { location.reload(); return; }
    this.connected(answer.ok);
    if (!answer.ok) return;
    const told = await answer.json();
    this.beaten = sent;
    if (told.state !== this.dataset.state || told.timer_id !== this.dataset.timer) {
      channel.postMessage({ changed: true });
      await this.redraw();
      return;
    }
    this.dataset.seconds = told.seconds;
    this.drawnAt = performance.now();
  }

  connected(is) {
    const mark = this.querySelector(".timer-offline");
    if (mark) mark.hidden = is;
  }

  async start() {
    const body = new URLSearchParams({ patient_id: this.dataset.chart });
    try {
      const answer = await fetch("/time/start", { method: "POST", body, headers: { Accept: "application/json" } });
      if (!answer.ok) return;
    } catch {
      return;
    }
    channel.postMessage({ changed: true });
    await this.redraw();
  }

  async redraw() {
    const chart = this.dataset.chart ? `?chart=${this.dataset.chart}` : "";
    let answer;
    try {
      answer = await fetch(`/time/bar${chart}`, { headers: { Accept: "text/html" } });
    } catch {
      this.connected(false);
      return;
    }
    if (answer.redirected) { location.reload(); return; }
    if (!answer.ok || !this.isConnected) return;
    const focused = this.contains(document.activeElement) ? document.activeElement.id : "";
    const fresh = document.createElement("template");
    fresh.innerHTML = await answer.text();
    const next = fresh.content.querySelector("ledger-timer");
    if (!next || !this.isConnected) return;
    next.beaten = this.beaten;
    this.replaceWith(next);
    if (focused) document.getElementById(focused)?.focus();
  }

  leave() {
    if (this.counts) navigator.sendBeacon("/time/beat", this.beatBody());
  }

  onMessage(data) {
    if (data.touchedAt) touchedAt = Math.max(touchedAt, data.touchedAt);
    if (data.changed) this.redraw();
  }

  onKey(event) {
    if (!event.altKey || !event.shiftKey || event.ctrlKey || event.metaKey) return;
    const wanted = { KeyP: "timer-toggle", KeyS: "timer-stop" }[event.code];
    const target = wanted && this.querySelector(`#${wanted}`);
    if (!target) return;
    event.preventDefault();
    target.click();
  }
}

customElements.define("ledger-timer", LedgerTimer);
addEventListener("pageshow", () => channel.postMessage({ changed: true }));
