/** Live sockets by themselves, against a WebSocket server (RFC 6455) that plays the gateway's side. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import {
  type LiveHost,
  type Notification,
  Notifications,
  Tail,
  type TailAccount,
  type TailEvent,
} from "../client/live.ts";

interface Frame {
  v: number;
  type: string;
  [member: string]: unknown;
}

/** One client's connection: what it sent, and a way to answer. */
class Peer {
  readonly protocols: string;
  readonly #socket: Socket;
  readonly #frames: Frame[] = [];
  readonly #waiting: ((frame: Frame) => void)[] = [];
  #rest = Buffer.alloc(0);

  constructor(socket: Socket, protocols: string) {
    this.#socket = socket;
    this.protocols = protocols;
    socket.on("data", (part) => this.#read(part));
    socket.on("error", () => undefined);
  }

  send(type: string, members: object): void {
    const text = Buffer.from(JSON.stringify({ v: 1, type, ...members }));
    const head = text.length < 126 ? Buffer.from([0x81, text.length]) : Buffer.from([0x81, 126, 0, 0]);
    if (text.length >= 126) head.writeUInt16BE(text.length, 2);
    this.#socket.write(Buffer.concat([head, text]));
  }

  /** The client's next frame. */
  async next(): Promise<Frame> {
    return this.#frames.shift() ?? new Promise((taken) => this.#waiting.push(taken));
  }

  /** The client's next frame of a type. */
  async expect(type: string): Promise<Frame> {
    for (;;) {
      const frame = await this.next();
      assert.equal(frame.v, 1);
      if (frame.type === type) return frame;
    }
  }

  cut(): void {
    this.#socket.destroy();
  }

  /** Frames of a client are masked, and short here. */
  #read(part: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, part]);
    while (this.#rest.length >= 6) {
      const short = (this.#rest[1] ?? 0) & 0x7f;
      const start = short === 126 ? 4 : 2;
      const length = short === 126 ? this.#rest.readUInt16BE(2) : short;
      if (this.#rest.length < start + 4 + length) return;
      const mask = this.#rest.subarray(start, start + 4);
      const text = this.#rest
        .subarray(start + 4, start + 4 + length)
        .map((byte, at) => byte ^ (mask[at % 4] ?? 0));
      const isText = ((this.#rest[0] ?? 0) & 0x0f) === 1;
      this.#rest = this.#rest.subarray(start + 4 + length);
      if (!isText) continue;
      const frame = JSON.parse(text.toString()) as Frame;
      const waiting = this.#waiting.shift();
      if (waiting) waiting(frame);
      else this.#frames.push(frame);
    }
  }
}

interface Server {
  host: LiveHost;
  /** The next client that connects. */
  peer(): Promise<Peer>;
}

const PAGE = { next: 0, last: 0, unread: 0, notifications: [] as Notification[] };

async function serving(host: Partial<LiveHost>, use: (server: Server) => Promise<void>): Promise<void> {
  const all: Peer[] = [];
  const peers: Peer[] = [];
  const waiting: ((peer: Peer) => void)[] = [];
  const server = createServer();
  server.on("upgrade", (request, socket: Socket) => {
    const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accepted = createHash("sha1").update(key).digest("base64");
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${accepted}\r\nSec-WebSocket-Protocol: sluice.v1\r\n\r\n`,
    );
    const peer = new Peer(socket, request.headers["sec-websocket-protocol"] ?? "");
    all.push(peer);
    const taken = waiting.shift();
    if (taken) taken(peer);
    else peers.push(peer);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  let tickets = 0;
  try {
    await use({
      host: {
        address: async (path) => `ws://127.0.0.1:${port}${path}`,
        ticket: async (kind) => {
          tickets += 1;
          return `${kind}-${tickets}`;
        },
        inbox: async () => PAGE,
        WebSocket,
        random: () => 0,
        ...host,
      },
      peer: async () => peers.shift() ?? new Promise((taken) => waiting.push(taken)),
    });
  } finally {
    // An upgraded connection is none of the server's any more.
    for (const peer of all) peer.cut();
    server.close();
  }
}

const item = (number: number): Notification => ({
  number,
  kind: "inventory.changed",
  at: "2026-11-21T01:02:03Z",
  actor: null,
  data: {},
  read: false,
});

function collect<T>(target: EventTarget, type: string): T[] {
  const found: T[] = [];
  target.addEventListener(type, (event) => found.push((event as CustomEvent<T>).detail));
  return found;
}

const told = (target: EventTarget, type: string): Promise<void> =>
  new Promise((done) => target.addEventListener(type, () => done(), { once: true }));

test("notifications come once and in order, also where the connection breaks in between", async () => {
  await serving({}, async ({ host, peer }) => {
    const live = new Notifications(host, null);
    const found = collect<Notification[]>(live, "notifications");
    const states = collect<string>(live, "state");
    const first = await peer();
    assert.equal(first.protocols.replaceAll(" ", ""), "sluice.v1,sluice.ticket.notifications-1");
    first.send("hello", { user: "ayse", last: 7 });
    assert.equal((await first.expect("since")).id, 7);
    first.send("notifications", { items: [item(8), item(9)] });
    assert.equal((await first.expect("ack")).id, 9);
    first.cut();
    const second = await peer();
    assert.match(second.protocols, /notifications-2/);
    second.send("hello", { user: "ayse", last: 10 });
    assert.equal((await second.expect("since")).id, 9);
    // What it has already is not told again.
    second.send("notifications", { items: [item(9), item(10)] });
    assert.equal((await second.expect("ack")).id, 10);
    live.close();
    assert.deepEqual(
      found.flat().map((each) => each.number),
      [8, 9, 10],
    );
    assert.deepEqual(states, ["open", "waiting", "connecting", "open", "ended"]);
    assert.equal(live.reason, "closed");
  });
});

test("after a resync the inbox is read page by page, and the socket goes on behind it", async () => {
  const asked: number[] = [];
  const inbox = async (after: number) => {
    asked.push(after);
    const notifications = after === 2 ? [item(3), item(4)] : [item(5)];
    return { ...PAGE, notifications, next: after === 2 ? 4 : 5, last: 5 };
  };
  await serving({ inbox }, async ({ host, peer }) => {
    const live = new Notifications(host, 2);
    const found = collect<Notification[]>(live, "notifications");
    const server = await peer();
    server.send("hello", { user: "ayse", last: 5 });
    assert.equal((await server.expect("since")).id, 2);
    server.send("resync", { last: 5 });
    assert.equal((await server.expect("since")).id, 5);
    assert.deepEqual(asked, [2, 4]);
    assert.deepEqual(
      found.flat().map((each) => each.number),
      [3, 4, 5],
    );
    live.close();
  });
});

test("it comes again after random pauses whose bound doubles, and not before the server wants it", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const tickets: number[] = [];
  let now = 0;
  const host: LiveHost = {
    address: async () => "",
    ticket: async () => {
      tickets.push(now);
      throw new Error("unreachable");
    },
    inbox: async () => PAGE,
    WebSocket,
    random: () => 0.5,
  };
  const live = new Notifications(host, null);
  for (now = 0; now <= 60_000; now += 500) {
    context.mock.timers.tick(now === 0 ? 0 : 500);
    await new Promise(setImmediate);
  }
  live.close();
  const pauses = tickets.slice(1).map((at, number) => at - (tickets[number] ?? 0));
  assert.deepEqual(pauses, [500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
});

test("a refused ticket, or a farewell for good, ends it and says why", async () => {
  const refused = {
    ticket: () => Promise.reject(Object.assign(new Error(), { status: 403, code: "forbidden" })),
  };
  await serving(refused, async ({ host }) => {
    const live = new Tail(host, {});
    await told(live, "state");
    assert.deepEqual([live.state, live.reason], ["ended", "forbidden"]);
  });
  await serving({}, async ({ host, peer }) => {
    const live = new Notifications(host, 0);
    const server = await peer();
    server.send("hello", { user: "ayse", last: 0 });
    await server.expect("since");
    const ended = told(live, "state");
    server.send("bye", { code: "unauthenticated", detail: "…", retry_after: null });
    await ended;
    assert.deepEqual([live.state, live.reason], ["ended", "unauthenticated"]);
  });
});

test("a tail keeps its account when it comes again, and begins another with another filter", async () => {
  await serving({}, async ({ host, peer }) => {
    const live = new Tail(host, { user: "ayse" });
    const events = collect<TailEvent[]>(live, "events");
    const accounts = collect<TailAccount>(live, "account");
    const frame = { filtered: 0, left_out: 0, events: [] as object[], opened: false };
    const first = await peer();
    first.send("hello", { user: "octoAuditor" });
    assert.deepEqual(await first.expect("tail"), { v: 1, type: "tail", filter: { user: "ayse" }, from: {} });
    first.send("tail", { ...frame, at: { 0: 10, 1: 5 }, opened: true });
    first.send("tail", {
      ...frame,
      at: { 0: 12, 1: 6 },
      events: [{ partition: 0, offset: 11 }],
      filtered: 2,
    });
    assert.equal((await first.expect("more")).frames, 2);
    first.cut();
    const second = await peer();
    second.send("hello", { user: "octoAuditor" });
    assert.deepEqual((await second.expect("tail")).from, { 0: 12, 1: 6 });
    second.send("tail", { ...frame, at: { 0: 12, 1: 6 }, opened: true });
    second.send("tail", { ...frame, at: { 0: 20, 1: 6 }, left_out: 8 });
    await second.expect("more");
    assert.deepEqual(accounts.at(-1), { shown: 1, filtered: 2, leftOut: 8, produced: 11 });
    live.show({});
    // What was under way of the tail before is of no account.
    second.send("tail", { ...frame, at: { 0: 21, 1: 6 }, events: [{ partition: 0, offset: 20 }] });
    assert.deepEqual((await second.expect("tail")).from, {});
    second.send("tail", { ...frame, at: { 0: 30, 1: 9 }, opened: true });
    second.send("tail", { ...frame, at: { 0: 31, 1: 9 }, events: [{ partition: 0, offset: 30 }] });
    await second.expect("more");
    assert.deepEqual(accounts.at(-1), { shown: 1, filtered: 0, leftOut: 0, produced: 1 });
    assert.deepEqual(
      events.flat().map((each) => each.offset),
      [11, 30],
    );
    live.close();
  });
});

test("a pause asks for nothing more, and going on acknowledges what came", async () => {
  await serving({}, async ({ host, peer }) => {
    const live = new Tail(host, {});
    const server = await peer();
    server.send("hello", { user: "octoAuditor" });
    await server.expect("tail");
    live.pause();
    assert.equal((await server.expect("more")).frames, 0);
    const heard = told(live, "events");
    server.send("tail", { filtered: 0, left_out: 0, events: [], opened: true, at: { 0: 1 } });
    const late = { filtered: 0, left_out: 0, opened: false, at: { 0: 2 } };
    server.send("tail", { ...late, events: [{ partition: 0, offset: 1 }] });
    await heard;
    assert.equal((await server.expect("more")).frames, 0);
    live.resume();
    assert.equal((await server.expect("more")).frames, 2);
    assert.equal(live.isPaused, false);
    live.close();
  });
});

test("however often it is paused and shown anew, every frame is acknowledged, four at a time", {
  timeout: 10_000,
}, async () => {
  await serving({}, async ({ host, peer }) => {
    const live = new Tail(host, {});
    const server = await peer();
    server.send("hello", { user: "octoAuditor" });
    let [sent, acknowledged, offset] = [0, 0, 0];
    const send = async (opened: boolean): Promise<void> => {
      const heard = told(live, "account");
      offset += 1;
      const event = { partition: 0, offset };
      server.send("tail", { filtered: 0, left_out: 0, events: [event], opened, at: { 0: offset } });
      sent += 1;
      await heard;
    };
    const receipt = async (): Promise<void> => {
      const frames = (await server.expect("more")).frames as number;
      // As the server has it: others are malformed, and end the socket for good.
      assert.ok(Number.isInteger(frames) && frames >= 0 && frames <= 4, `more ${frames}`);
      acknowledged += frames;
    };
    await server.expect("tail");
    await send(true);
    for (let round = 0; round < 3; round++) {
      live.pause();
      await receipt();
      for (let number = 0; number < 3; number++) await send(false);
      live.show({ user: `user-${round}` });
      await server.expect("tail");
      await send(true);
    }
    // Five frames wait for their receipt: more than one may name.
    live.pause();
    await receipt();
    for (let number = 0; number < 5; number++) await send(false);
    live.resume();
    while (acknowledged < sent) await receipt();
    assert.equal(acknowledged, sent);
    live.close();
  });
});

test("a socket that is refused before its greeting comes again ever more rarely", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const tickets: number[] = [];
  let now = 0;
  // A browser hides the 429 of a socket too many: it sees an end, and no reason.
  class Refused {
    readyState = 0;
    onclose: (() => void) | null = null;
    constructor() {
      queueMicrotask(() => this.onclose?.());
    }
    close(): void {}
  }
  const host: LiveHost = {
    address: async () => "",
    ticket: async () => String(tickets.push(now)),
    inbox: async () => PAGE,
    WebSocket: Refused as unknown as typeof WebSocket,
    random: () => 1,
  };
  const live = new Notifications(host, null);
  for (now = 0; now <= 1_200_000; now += 1000) {
    context.mock.timers.tick(now === 0 ? 0 : 1000);
    await new Promise(setImmediate);
  }
  live.close();
  const pauses = tickets.slice(1).map((at, number) => at - (tickets[number] ?? 0));
  assert.deepEqual(pauses.slice(0, 5), [1000, 2000, 4000, 8000, 16_000]);
  assert.deepEqual(pauses.slice(8, 10), [256_000, 300_000]);
});

test("a number that is above the server's, as after a restore, hides nothing that is new", async () => {
  await serving({}, async ({ host, peer }) => {
    const live = new Notifications(host, 90);
    const found = collect<Notification[]>(live, "notifications");
    const server = await peer();
    server.send("hello", { user: "ayse", last: 40 });
    assert.equal((await server.expect("since")).id, 40);
    server.send("notifications", { items: [item(41)] });
    assert.equal((await server.expect("ack")).id, 41);
    assert.equal(found.flat().length, 1);
    live.close();
  });
});
