/** The inbox as the page has it: how many notifications are unread, the newest of them, and what comes meanwhile. */
import { effect, signal } from "@preact/signals";
import type { Notification, Notifications } from "../client/sluice-client.ts";
import { notified, TEXT } from "./messages.ts";
import {
  asFailure,
  client,
  type Failure,
  go,
  hasEnded,
  open,
  openSaved,
  say,
  saysEnded,
  session,
  toast,
} from "./state.ts";

/** The newest that the list has. */
const NEWEST = 50;
/** The page is there first. */
const BEGIN_MS = 1000;
/** Between two words about what is new, however much there is. */
const CALM_MS = 10_000;

export const unread = signal(0);
export const isInboxOpen = signal(false);
export const inbox = signal<{ items: Notification[]; phase: "busy" | "read"; failure: Failure | null }>({
  items: [],
  phase: "busy",
  failure: null,
});

let live: Notifications | null = null;
let beginning: ReturnType<typeof setTimeout> | undefined;
let fresh: Notification[] = [];
let telling: ReturnType<typeof setTimeout> | undefined;
let lastTold = 0;
/** The number up to which `unread` counts. */
let counted = 0;

effect(() => {
  const isIn = session.value === "in";
  clearTimeout(beginning);
  if (isIn) beginning = setTimeout(() => void begin(), BEGIN_MS);
  else end();
});
globalThis.addEventListener?.("online", () => live?.retry());

async function begin(): Promise<void> {
  try {
    // Whatever is on the page, the answer says how many are unread, and which is the newest.
    const { last, unread: count } = await client.inbox(0, 1);
    if (live !== null || session.value !== "in") return;
    unread.value = count;
    counted = last;
    live = client.notifications(last);
    live.addEventListener("notifications", (event) => take((event as CustomEvent<Notification[]>).detail));
  } catch (error) {
    // The next thing that is asked for says what is wrong, also that the session has ended: a dialog now would take the
    // keys of who types. Until then the bell is quiet.
    if (!saysEnded(error)) beginning = setTimeout(() => void begin(), CALM_MS);
  }
}

function end(): void {
  live?.close();
  live = null;
  clearTimeout(telling);
  telling = undefined;
  fresh = [];
  unread.value = 0;
  counted = 0;
  isInboxOpen.value = false;
  inbox.value = { items: [], phase: "busy", failure: null };
}

function take(items: Notification[]): void {
  unread.value += items.filter((item) => item.number > counted).length;
  counted = Math.max(counted, items.at(-1)?.number ?? 0);
  if (isInboxOpen.value) {
    inbox.value = { ...inbox.value, items: merged(inbox.value.items, items) };
    return;
  }
  fresh.push(...items);
  telling ??= setTimeout(tell, Math.max(0, lastTold + CALM_MS - Date.now()));
}

/** Notifications of both lists, each once and as the second one has it, the newest first. */
function merged(known: Notification[], more: Notification[]): Notification[] {
  const byNumber = new Map([...known, ...more].map((item) => [item.number, item]));
  return [...byNumber.values()].sort((one, other) => other.number - one.number).slice(0, NEWEST);
}

/** Say what is new: one thing by its name, several by their number. */
function tell(): void {
  telling = undefined;
  // Not in the place of a word about what was just done.
  if (toast.value !== "") {
    telling = setTimeout(tell, BEGIN_MS);
    return;
  }
  lastTold = Date.now();
  const [first] = fresh;
  if (first) say(fresh.length === 1 ? notified(first) : TEXT.newNotifications(fresh.length));
  fresh = [];
}

/** Open or close the list. */
export function toggleInbox(): void {
  isInboxOpen.value = !isInboxOpen.value;
  if (isInboxOpen.value) void readInbox();
}

/** Read the newest notifications. */
export async function readInbox(): Promise<void> {
  inbox.value = { ...inbox.value, phase: "busy", failure: null };
  try {
    const { last } = await client.inbox(0, 1);
    const page = await client.inbox(Math.max(0, last - NEWEST), NEWEST);
    // What has come by the socket meanwhile is newer than the page.
    const { items } = inbox.value;
    unread.value = page.unread + items.filter((item) => item.number > page.last).length;
    counted = Math.max(counted, page.last);
    inbox.value = { items: merged(items, page.notifications), phase: "read", failure: null };
  } catch (error) {
    inbox.value = { ...inbox.value, phase: "read", failure: hasEnded(error) ? null : asFailure(error) };
  }
}

/** Mark all that are listed, and those before them, as read. */
export async function markAllRead(): Promise<void> {
  const newest = inbox.value.items[0]?.number ?? 0;
  await mark({ up_to: newest }, (item) => item.number <= newest);
}

/** Go to what a notification is about, which is read by that. */
export async function follow(item: Notification): Promise<void> {
  const { type, id } = item.data;
  isInboxOpen.value = false;
  if (item.kind === "inventory.changed") open(String(type), String(id));
  else if (item.kind === "inventory.imported") go("inventory", { type: String(type), id: "" });
  else if (type === "collection") go("saved", { type: String(id), id: "" });
  else if (type === "search") await openSearch(String(id));
  if (!item.read) await mark({ numbers: [item.number] }, (each) => each.number === item.number);
}

async function openSearch(id: string): Promise<void> {
  try {
    openSaved(await client.savedSearch(id));
  } catch (error) {
    // One that was deleted, or is not shared any more, is not there: the server says so.
    if (!hasEnded(error)) say(asFailure(error).detail || TEXT.notOpened);
  }
}

async function mark(
  which: { up_to: number } | { numbers: number[] },
  isMarked: (item: Notification) => boolean,
): Promise<void> {
  try {
    unread.value = await client.markRead(which);
    const items = inbox.value.items.map((item) => (isMarked(item) ? { ...item, read: true } : item));
    inbox.value = { ...inbox.value, items };
  } catch (error) {
    if (!hasEnded(error)) say(asFailure(error).detail || TEXT.notMarked);
  }
}
