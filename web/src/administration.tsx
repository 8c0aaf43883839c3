/** For administrators: types, users, and deliveries that were given up, as plain lists. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { Delivery, User } from "../client/sluice-client.ts";
import { localTime, utcTime } from "./cells.ts";
import { adviceFor, TEXT } from "./messages.ts";
import {
  asFailure,
  client,
  type Failure,
  go,
  hasEnded,
  readTypes,
  say,
  types,
  typesFailure,
} from "./state.ts";

export default function Administration() {
  return (
    <section id="results" class="administration">
      <h2>{TEXT.administration}</h2>
      <p>
        <a href="/admin/">{TEXT.adminSite}</a>
      </p>
      <Types />
      <Users />
      <Deliveries />
    </section>
  );
}

interface TableProps {
  title: string;
  heads: string[];
  children: ComponentChildren;
  failure: Failure | null;
}

function Table({ title, heads, children, failure }: TableProps) {
  return (
    <section class="below">
      <h3>{title}</h3>
      {failure && (
        <p class="message bad" role="alert">
          <strong>{adviceFor(failure.code).title}.</strong> {adviceFor(failure.code).next} {failure.detail}
        </p>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard (WCAG 2.1.1) */}
      <div class="wide" tabIndex={0} role="region" aria-label={title}>
        <table class="plain">
          <thead>
            <tr>
              {heads.map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      </div>
    </section>
  );
}

function Types() {
  useEffect(() => {
    if (types.value === null) void readTypes();
  }, []);
  const heads = [TEXT.type, TEXT.index, TEXT.below, TEXT.publicType, TEXT.schemaVersion];
  return (
    <Table title={TEXT.types} heads={heads} failure={typesFailure.value}>
      {types.value?.map((each) => (
        <tr key={each.name}>
          <th scope="row">
            <button
              type="button"
              class="bare past"
              onClick={() => go("inventory", { type: each.name, id: "" })}
            >
              {each.name}
            </button>
          </th>
          <td>{each.index}</td>
          <td>{each.parent}</td>
          <td>{each.public ? TEXT.yes : TEXT.no}</td>
          <td class="number">{each.schema_version}</td>
        </tr>
      ))}
    </Table>
  );
}

function Users() {
  const { rows, next, failure, read } = usePages(async (after) => {
    const page = await client.users(after);
    return { rows: page.users, next: page.next };
  });
  return (
    <>
      <Table
        title={TEXT.users}
        heads={[TEXT.user, TEXT.role, TEXT.state, TEXT.factor, TEXT.index]}
        failure={failure}
      >
        {rows.map((user: User) => (
          <tr key={user.username}>
            <th scope="row">{user.username}</th>
            <td>{user.role}</td>
            <td>{user.active ? TEXT.active : TEXT.inactive}</td>
            <td>{user.totp ? TEXT.yes : TEXT.no}</td>
            <td>{user.indices.join(", ")}</td>
          </tr>
        ))}
      </Table>
      <More next={next} read={read} />
    </>
  );
}

function Deliveries() {
  const { rows, next, failure, read, leave } = usePages(async (after) => {
    const page = await client.deliveries("dead", after);
    return { rows: page.deliveries, next: page.next };
  });
  async function resend(delivery: Delivery): Promise<void> {
    try {
      await client.resend(delivery.id);
      leave(delivery);
      say(TEXT.sentAgain);
    } catch (error) {
      if (!hasEnded(error)) say(asFailure(error).detail);
    }
  }
  const heads = [TEXT.queued, TEXT.recipient, TEXT.channel, TEXT.attempts, TEXT.reason, TEXT.sendAgain];
  return (
    <>
      <Table title={TEXT.deadDeliveries} heads={heads} failure={failure}>
        {rows.length === 0 && failure === null && (
          <tr>
            <td colSpan={heads.length}>{TEXT.noDeadDeliveries}</td>
          </tr>
        )}
        {rows.map((delivery) => (
          <tr key={delivery.id}>
            <td>
              <time dateTime={delivery.queued_at} title={utcTime(delivery.queued_at)}>
                {localTime(delivery.queued_at)}
              </time>
            </td>
            <td>{delivery.user}</td>
            <td>{delivery.channel}</td>
            <td class="number">{delivery.attempts}</td>
            <td>{delivery.error}</td>
            <td>
              <button type="button" class="small" onClick={() => resend(delivery)}>
                {TEXT.sendAgain}
              </button>
            </td>
          </tr>
        ))}
      </Table>
      <More next={next} read={read} />
    </>
  );
}

function More({ next, read }: { next: string | null; read: (after: string) => void }) {
  if (next === null) return null;
  return (
    <button type="button" class="small" onClick={() => read(next)}>
      {TEXT.more}
    </button>
  );
}

/** A list that is read page by page. */
function usePages<Row>(readPage: (after?: string) => Promise<{ rows: Row[]; next: string | null }>) {
  const rows = useSignal<Row[]>([]);
  const next = useSignal<string | null>(null);
  const failure = useSignal<Failure | null>(null);
  async function read(after?: string): Promise<void> {
    try {
      const page = await readPage(after);
      rows.value = [...rows.value, ...page.rows];
      next.value = page.next;
      failure.value = null;
    } catch (error) {
      if (!hasEnded(error)) failure.value = asFailure(error);
    }
  }
  useEffect(() => void read(), []);
  return {
    rows: rows.value,
    next: next.value,
    failure: failure.value,
    read: (after: string) => void read(after),
    leave: (row: Row) => {
      rows.value = rows.value.filter((each) => each !== row);
    },
  };
}
