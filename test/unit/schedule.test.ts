import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { waitMs } from "../../src/daemon/schedule.ts";
import { createWaker } from "../../src/daemon/waker.ts";
import { systemClock } from "../../src/platform/clock.ts";

describe("the wait for the next sync", () => {
  it("is the interval, spread by the splay, while all goes well", () => {
    assert.equal(waitMs(30_000, 0, { splay: 5000, random: 0 }), 30_000);
    assert.equal(waitMs(30_000, 0, { splay: 5000, random: 0.999 }), 34_995);
  });

  it("doubles after each failure up to a minute, with jitter of half of it", () => {
    const waits = [1, 2, 3, 4, 5, 6, 50].map((failures) => waitMs(30_000, failures, { splay: 0, random: 1 }));

    assert.deepEqual(waits, [30_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000]);
    assert.equal(waitMs(30_000, 1, { splay: 0, random: 0 }), 15_000);
  });

  it("after a failure is never longer than a minute, however long the interval", () => {
    assert.equal(waitMs(86_400_000, 1, { splay: 0, random: 1 }), 30_000);
    assert.equal(waitMs(86_400_000, 30, { splay: 0, random: 1 }), 60_000);
    assert.equal(waitMs(1000, 4, { splay: 0, random: 1 }), 8000);
  });
});

describe("a sleep", () => {
  const signal = new AbortController().signal;

  it("ends by itself, or at once when woken, also when that was before it began", async () => {
    const waker = createWaker(systemClock);

    assert.equal(await waker.sleep(1, signal), false);
    const asleep = waker.sleep(60_000, signal);
    waker.wake();
    assert.equal(await asleep, true);
    waker.wake();
    assert.equal(await waker.sleep(60_000, signal), true);
    assert.equal(await waker.sleep(1, signal), false);
  });

  it("ends when the daemon is stopped", async () => {
    const stop = new AbortController();
    const asleep = createWaker(systemClock).sleep(60_000, stop.signal);
    stop.abort();

    assert.equal(await asleep, false);
  });
});
