/** The client by itself, against a real HTTP server that plays the gateway's side. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import {
  parseJson,
  SluiceClient,
  SluiceProblem,
  SluiceUnreachable,
  writeJson,
} from "../client/sluice-client.ts";

type Answer = (request: IncomingMessage, body: string, response: ServerResponse) => void;

async function serving<T>(answer: Answer, use: (base: string) => Promise<T>): Promise<T> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", () => answer(request, body, response));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function json(response: ServerResponse, value: unknown, status = 200, headers = {}): void {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(JSON.stringify(value));
}

const PAGE = { query_id: "1", count: 3, count_relation: "eq", took_ms: 1, notices: [] };

test("pages are read until there is no next one", async () => {
  const asked: unknown[] = [];
  const pages = await serving(
    (_request, body, response) => {
      const { cursor } = JSON.parse(body);
      asked.push(cursor);
      json(response, { ...PAGE, results: [{ at: cursor }], next: cursor === "start" ? "two" : null });
    },
    async (base) => {
      const found = [];
      for await (const page of new SluiceClient({ base, authorization: "x" }).pages({ query: "" }))
        found.push(page.results);
      return found;
    },
  );
  assert.deepEqual(asked, ["start", "two"]);
  assert.deepEqual(pages, [[{ at: "start" }], [{ at: "two" }]]);
});

test("a snapshot that is left before its end is given up", async () => {
  const asked: (string | undefined)[] = [];
  await serving(
    (request, _body, response) => {
      asked.push(`${request.method} ${request.url}`);
      json(response, { ...PAGE, results: [], next: "id.mark.signature" });
    },
    async (base) => {
      for await (const _ of new SluiceClient({ base, authorization: "x" }).pages({ query: "" })) break;
    },
  );
  assert.deepEqual(asked, ["POST /search", "DELETE /cursors/id"]);
});

test("a problem has its place in UTF-16 units, and when to come back", async () => {
  const body = {
    status: 400,
    code: "unknown_field",
    detail: "no",
    position: 2,
    end: 4,
    suggestions: ["Hostname"],
  };
  await serving(
    (_request, _body, response) => json(response, body, 400, { "Retry-After": "7" }),
    async (base) => {
      const failed = new SluiceClient({ base, authorization: "x" }).search({ query: "😀 ab" });
      await assert.rejects(failed, (error: SluiceProblem) => {
        assert.ok(error instanceof SluiceProblem);
        assert.deepEqual(
          [error.code, error.position, error.end, error.retryAfter, error.suggestions],
          ["unknown_field", 3, 5, 7, ["Hostname"]],
        );
        return true;
      });
    },
  );
});

test("an answer without a body is a problem too, and a closed port is unreachable", async () => {
  const base = await serving(
    (_request, _body, response) => response.writeHead(431).end(),
    async (here) => {
      await assert.rejects(new SluiceClient({ base: here, authorization: "x" }).me(), {
        code: "internal",
        status: 431,
      });
      return here;
    },
  );
  await assert.rejects(new SluiceClient({ base, authorization: "x" }).me(), SluiceUnreachable);
});

test("many calls at once mint one token, and a token that has ended is renewed once", async () => {
  let minted = 0;
  let isGood = true;
  await serving(
    (request, _body, response) => {
      if (request.url === "/auth/session/token") {
        minted += 1;
        isGood = true;
        json(response, { access_token: `t${minted}`, expires_in: 300, me: { username: "ayse" } });
      } else if (isGood) json(response, { token: request.headers.authorization });
      else json(response, { status: 401, code: "token_expired", detail: "ended" }, 401);
    },
    async (base) => {
      const client = new SluiceClient({ base });
      await Promise.all([client.me(), client.me(), client.me()]);
      assert.equal(minted, 1);
      isGood = false;
      assert.deepEqual(await client.me(), { token: "Bearer t2" });
    },
  );
});

test("a session that has ended is one refusal and no loop", async () => {
  let asked = 0;
  await serving(
    (_request, _body, response) => {
      asked += 1;
      json(response, { status: 401, code: "unauthenticated", detail: "ended" }, 401);
    },
    (base) => assert.rejects(new SluiceClient({ base }).me(), { code: "unauthenticated" }),
  );
  assert.equal(asked, 1);
});

test("what the page does by itself keeps no session, and what somebody does there keeps it", async () => {
  const minted: string[] = [];
  await serving(
    (request, body, response) => {
      if (request.url === "/auth/session/token") {
        minted.push(body);
        // So short that each call takes a new one.
        json(response, { access_token: `t${minted.length}`, expires_in: 1, me: { username: "ayse" } });
      } else if (request.url === "/auth/tickets") json(response, { ticket: "t" }, 201);
      else json(response, { username: "ayse" });
    },
    async (base) => {
      const opened = new Promise<void>((done) => {
        class Opened {
          constructor() {
            done();
          }
          close(): void {}
        }
        const client = new SluiceClient({ base, WebSocket: Opened as unknown as typeof WebSocket });
        void client.me().then(() => client.notifications(0));
      });
      await opened;
    },
  );
  assert.deepEqual(minted, ["", '{"idle":true}']);
});

test("a session that is somebody else's by now, as after a log-in in another tab, has ended", async () => {
  let cookie = "ayse";
  await serving(
    (request, _body, response) => {
      const bearer = request.headers.authorization?.replace("Bearer ", "");
      if (request.url === "/auth/session/token")
        json(response, { access_token: cookie, expires_in: 1, me: { username: cookie } });
      else json(response, { ...PAGE, results: [{ of: bearer }], next: null });
    },
    async (base) => {
      const client = new SluiceClient({ base });
      assert.equal((await client.me()).username, "ayse");
      assert.deepEqual((await client.search({ query: "" })).results, [{ of: "ayse" }]);
      cookie = "ben";
      for (let time = 0; time < 2; time++) {
        await assert.rejects(client.search({ query: "" }), { code: "unauthenticated" });
      }
      await assert.rejects(client.me(), { code: "unauthenticated" });
      cookie = "ayse";
      assert.deepEqual((await client.search({ query: "" })).results, [{ of: "ayse" }]);
    },
  );
});

test("a stream gives documents, and its last line may be a problem", async () => {
  const end = '{"problem":{"status":503,"code":"deadline","detail":"late","query_id":"q"}}\n';
  const found: unknown[] = [];
  await serving(
    (_request, _body, response) => {
      response.writeHead(200, { "X-Query-ID": "q" });
      response.write('{"a":1}\n{"problem":{"query_id":"other"}}\n{"a"');
      setTimeout(() => response.end(`:"ş"}\n${end}`), 20);
    },
    async (base) => {
      const stream = new SluiceClient({ base, authorization: "x" }).stream({ query: "" });
      await assert.rejects(
        async () => {
          for await (const document of stream) found.push(document);
        },
        { code: "deadline" },
      );
    },
  );
  assert.deepEqual(found, [{ a: 1 }, { problem: { query_id: "other" } }, { a: "ş" }]);
});

const isExact = typeof (JSON as { rawJSON?: unknown }).rawJSON === "function";

test("integers beyond 2^53 are exact", {
  skip: isExact ? false : "this Node does not tell a number's text",
}, () => {
  assert.equal(
    writeJson(parseJson('{"a":9223372036854775807,"b":1.5}')),
    '{"a":9223372036854775807,"b":1.5}',
  );
});

test("a saved search is changed by its version, and says so where another one is there", async () => {
  const asked: unknown[] = [];
  const problem = { status: 412, code: "precondition_failed", detail: "It has the version 8." };
  await serving(
    (request, body, response) => {
      asked.push([
        request.method,
        request.url,
        request.headers["if-match"],
        request.headers["content-type"],
        body,
      ]);
      json(response, problem, 412, { "Content-Type": "application/problem+json", ETag: '"8"' });
    },
    async (base) => {
      const client = new SluiceClient({ base, authorization: "x" });
      await assert.rejects(client.changeSearch("a/b", { title: "Linux" }, 7), {
        code: "precondition_failed",
      });
      await assert.rejects(client.takeFromCollection("c", "s", 3), { status: 412 });
    },
  );
  assert.deepEqual(asked, [
    ["PATCH", "/searches/a%2Fb", '"7"', "application/merge-patch+json", '{"title":"Linux"}'],
    ["DELETE", "/collections/c/searches/s", '"3"', undefined, ""],
  ]);
});
