/**
 * What the IAM may do wrong, one row each: either no file of the node changes, or only the bad record is missing.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import type { RunRecord } from "../../src/model/report.ts";
import { changedAt, createAsker } from "../support/asker.ts";
import {
  type FakeIam,
  type FakeIamOptions,
  type IamRequest,
  LIST_RESPONSE,
  pageOf,
  type Resource,
  SCIM_ERROR,
  sendError,
  sendJson,
  startFakeIam,
  TOKEN,
} from "../support/fake-iam.ts";
import { configFor, makeNodeRoot, type NodeRoot, type Ran } from "../support/node-root.ts";
import { aGroup, aKey, aUser, POSIX, someUsers } from "../support/records.ts";

type Misbehave = NonNullable<FakeIam["misbehave"]>;

interface Row {
  readonly options?: FakeIamOptions;
  readonly config?: string;
  /** Changes what the IAM holds before the second sync. */
  readonly change?: (iam: FakeIam) => void;
  readonly misbehave?: Misbehave;
  readonly code: number;
  readonly says: RegExp;
  /** Names that the second sync takes from the node; undefined when no file may change at all. */
  readonly missing?: readonly string[];
  /** The most requests a failing sync may make. */
  readonly requests?: number;
}

const USERS = 150;

const onPageTwo = (
  answer: (response: ServerResponse, request: IamRequest, iam: FakeIam) => boolean,
): Misbehave => {
  return (request, response, iam) =>
    request.list === "Users" && request.startIndex === 51 && answer(response, request, iam);
};
const onUsers = (
  answer: (response: ServerResponse, request: IamRequest, iam: FakeIam) => boolean,
): Misbehave => {
  return (request, response, iam) => request.list === "Users" && answer(response, request, iam);
};
const html = (response: ServerResponse): true => {
  response.writeHead(200, { "content-type": "text/html" }).end("<html><body>Please log in</body></html>");
  return true;
};
const edit = (nth: number, change: (user: Resource) => unknown) => (iam: FakeIam) => {
  iam.users = iam.users.map((user, index) => (index === nth - 1 ? change(user as Resource) : user));
};
const parsed = (line: string) => (line === "" ? undefined : JSON.parse(line));
const posix = (fields: Resource) => (user: Resource) => ({
  ...user,
  [POSIX]: { ...(user[POSIX] as Resource), ...fields },
});

const ROWS: Readonly<Record<string, Row>> = {
  "a user whose extension is null": {
    change: edit(7, (user) => ({ ...user, [POSIX]: null })),
    code: 3,
    says: /user7[^]*id-missing/,
    missing: ["user7"],
  },
  "a user that is null": {
    change: edit(7, () => null),
    code: 3,
    says: /record-unreadable/,
    missing: ["user7"],
  },
  "a user that is text": {
    change: edit(7, () => "user7"),
    code: 3,
    says: /record-unreadable/,
    missing: ["user7"],
  },
  "a null at the same place of two pages": {
    change: (iam) => {
      edit(7, () => null)(iam);
      edit(57, () => null)(iam);
    },
    code: 3,
    says: /entry 7 of the list[^]*entry 57 of the list/,
    missing: ["user57", "user7"],
  },
  "a user without an id": {
    change: edit(7, (user) => ({ ...user, id: undefined })),
    code: 3,
    says: /record-unreadable/,
    missing: ["user7"],
  },
  "a key that is an object": {
    change: edit(7, posix({ sshKeys: [{ key: "x" }] })),
    code: 0,
    says: /key-invalid/,
    missing: [],
  },
  "a line feed in a display name": {
    change: edit(7, (user) => ({ ...user, displayName: "X\nroot2:x:0:0::/:/bin/sh" })),
    code: 0,
    says: /gecos-cleaned/,
    missing: [],
  },
  "a colon in a display name": {
    change: edit(7, (user) => ({ ...user, displayName: "Doctor: Who" })),
    code: 0,
    says: /gecos-cleaned/,
    missing: [],
  },
  "uid 0": { change: edit(7, posix({ uidNumber: 0 })), code: 3, says: /id-out-of-range/, missing: ["user7"] },
  "uid 4294967295": {
    change: edit(7, posix({ uidNumber: 4294967295 })),
    code: 3,
    says: /id-out-of-range/,
    missing: ["user7"],
  },
  "a missing uid with externalId 0": {
    change: edit(7, (user) => ({ ...posix({ uidNumber: undefined })(user), externalId: "0" })),
    code: 3,
    says: /id-missing/,
    missing: ["user7"],
  },
  "a new user with the uid of another": {
    change: (iam) => iam.users.push(aUser(900, { name: "heir", uid: 10_008 })),
    code: 3,
    says: /heir[^]*id-contested/,
    missing: [],
  },
  "a user who takes the uid of another": {
    change: edit(7, posix({ uidNumber: 10_008 })),
    code: 0,
    says: /user7[^]*10007[^]*id-held/,
    missing: [],
  },
  "a user called root": {
    change: edit(7, (user) => ({ ...user, userName: "root" })),
    code: 3,
    says: /name-reserved/,
    missing: ["user7"],
  },
  "a group called sudo with gid 27": {
    change: (iam) => iam.groups.push(aGroup(9, ["u-1"], { name: "sudo", gid: 27 })),
    code: 3,
    says: /group "sudo"[^]*name-reserved/,
    missing: [],
  },
  "a key with a second one behind a line feed": {
    change: edit(7, posix({ sshKeys: [`${aKey(7)}\ncommand="/bin/sh" ${aKey(666)}`] })),
    code: 0,
    says: /key-options-refused/,
    missing: [],
  },
  "no itemsPerPage": {
    misbehave: onUsers((response, request, iam) => {
      const { itemsPerPage: _, startIndex: __, ...page } = pageOf(iam, request);
      return sendJson(response, page);
    }),
    code: 0,
    says: /Nothing to do/,
    missing: [],
  },
  "pages smaller than asked for": {
    misbehave: onUsers((response, request, iam) =>
      sendJson(response, pageOf(iam, request, request.startIndex > 60 ? 7 : 20)),
    ),
    code: 0,
    says: /Nothing to do/,
    missing: [],
  },
  "a reset now and then": {
    misbehave: (request, response) => request.nth % 3 === 1 && response.destroy() !== undefined,
    code: 0,
    says: /Nothing to do/,
    missing: [],
  },
  "429 with Retry-After, once": {
    misbehave: onPageTwo((response, request) => {
      const first = request.nth < 4;
      if (first) {
        response.writeHead(429, { "retry-after": "0" }).end();
      }
      return first;
    }),
    code: 0,
    says: /Nothing to do/,
    missing: [],
  },
  "cursors, where the server prefers them": {
    options: { pagination: { cursor: true, index: false } },
    code: 0,
    says: /Nothing to do/,
    missing: [],
  },
  "cursors alone, and no page by index": {
    options: { pagination: { cursor: true, index: false } },
    misbehave: (request, response) =>
      request.list !== "ServiceProviderConfig" &&
      request.cursor === undefined &&
      sendError(response, 400, "index paging is not supported"),
    code: 0,
    says: /Nothing to do/,
    missing: [],
  },
  "a ServiceProviderConfig that fails": {
    misbehave: (request, response) =>
      request.list === "ServiceProviderConfig" && sendError(response, 500, "no"),
    code: 0,
    says: /Nothing to do/,
    missing: [],
  },
  "cursors without totalResults": {
    config: "paging: cursor",
    misbehave: (request, response, iam) => {
      const { totalResults: _, ...page } = pageOf(iam, request);
      return sendJson(response, page);
    },
    code: 0,
    says: /Nothing to do/,
    missing: [],
  },
  gzip: { options: { gzip: true }, code: 0, says: /Nothing to do/, missing: [] },

  "150 users that become one": {
    change: (iam) => void (iam.users = iam.users.slice(0, 1)),
    code: 1,
    says: /removals-refused/,
  },
  "150 users that become none": { change: (iam) => void (iam.users = []), code: 1, says: /removals-refused/ },
  "a SCIM error with status 200 on page two": {
    misbehave: onPageTwo((response) =>
      sendJson(response, { schemas: [SCIM_ERROR], status: "500", detail: "backend gone" }),
    ),
    code: 1,
    says: /backend gone.*iam-invalid/,
  },
  "another total on page two": {
    misbehave: onPageTwo((response, request, iam) =>
      sendJson(response, { ...pageOf(iam, request), totalResults: 149 }),
    ),
    code: 1,
    says: /totalResults went from 1\d\d to 1\d\d.*iam-incomplete/,
    requests: 16,
  },
  "fewer resources than the total": {
    misbehave: onUsers((response, request, iam) =>
      sendJson(response, { ...pageOf(iam, request), totalResults: 151 }),
    ),
    code: 1,
    says: /is empty, though totalResults is 151.*iam-incomplete/,
    requests: 20,
  },
  "HTML on page two": {
    misbehave: onPageTwo(html),
    code: 1,
    says: /no JSON.*Please log in.*iam-invalid/,
    requests: 8,
  },
  "broken JSON on page two": {
    misbehave: onPageTwo((response) => response.end('{"schemas": [') !== undefined),
    code: 1,
    says: /no JSON.*iam-invalid/,
    requests: 8,
  },
  "something that is no ListResponse": {
    misbehave: onUsers((response) => sendJson(response, { totalResults: 0, Resources: [] })),
    code: 1,
    says: /no ListResponse.*iam-invalid/,
  },
  "no totalResults": {
    misbehave: onUsers((response, request, iam) => {
      const { totalResults: _, ...page } = pageOf(iam, request);
      return sendJson(response, page);
    }),
    code: 1,
    says: /no totalResults.*iam-incomplete/,
  },
  "a startIndex that is ignored": {
    misbehave: onUsers((response, request, iam) =>
      sendJson(response, pageOf(iam, { ...request, startIndex: 1 }, 50)),
    ),
    code: 1,
    says: /page at startIndex \d+ holds nothing that had not come before.*iam-incomplete/,
    requests: 16,
  },
  "an empty first page": {
    misbehave: onUsers((response) =>
      sendJson(response, { schemas: [LIST_RESPONSE], totalResults: 150, Resources: [] }),
    ),
    code: 1,
    says: /first page is empty.*iam-incomplete/,
  },
  "ten million groups claimed": {
    misbehave: (request, response, iam) =>
      request.list === "Groups" && sendJson(response, { ...pageOf(iam, request), totalResults: 10_000_000 }),
    code: 1,
    says: /totalResults is 10000000, more than 1000000.*iam-too-large/,
    requests: 8,
  },
  "one list that fails while the other is fine": {
    misbehave: (request, response) =>
      request.list === "Groups" && sendError(response, 500, "no groups today"),
    code: 1,
    says: /no groups today.*iam-unreachable/,
  },
  "a reset every time": {
    misbehave: (_, response) => response.destroy() !== undefined,
    code: 1,
    says: /after 4 tries.*iam-unreachable/,
  },
  "503 every time": {
    misbehave: (_, response) => sendError(response, 503, "maintenance"),
    code: 1,
    says: /maintenance.*iam-unreachable/,
  },
  "429 that asks to wait for an hour": {
    misbehave: (_, response) => response.writeHead(429, { "retry-after": "3600" }).end() !== undefined,
    code: 1,
    says: /429.*iam-unreachable/,
    requests: 3,
  },
  "a token that is not accepted": {
    change: (iam) => void (iam.token = "another"),
    config: "paging: index",
    code: 1,
    says: /401.*renew it.*iam-refused/,
    requests: 2,
  },
  "403": {
    misbehave: (_, response) => sendError(response, 403, "not yours"),
    config: "paging: index",
    code: 1,
    says: /not yours.*iam-refused/,
    requests: 2,
  },
  "an error that repeats the token": {
    misbehave: (request, response) =>
      sendError(response, 400, `bad credential ${request.headers.authorization}`),
    code: 1,
    says: /bad credential Bearer \[secret\].*iam-invalid/,
  },
  "a record nested twenty thousand levels deep": {
    change: (iam) =>
      iam.groups.push({ id: "deep", members: JSON.parse(`${"[".repeat(20_000)}${"]".repeat(20_000)}`) }),
    misbehave: (request, response, iam) => {
      const page = JSON.stringify({ ...pageOf(iam, request), Resources: "*" });
      const deep = `{"id":"deep","members":${"[".repeat(20_000)}${"]".repeat(20_000)}}`;
      const rest = JSON.stringify((iam.groups as Resource[]).filter(({ id }) => id !== "deep")).slice(1, -1);
      return (
        request.list === "Groups" && response.end(page.replace('"*"', `[${rest},${deep}]`)) !== undefined
      );
    },
    code: 3,
    says: /record-unreadable/,
    missing: [],
  },
  "more resources than its total": {
    misbehave: onUsers((response, request, iam) =>
      sendJson(response, { ...pageOf(iam, request), totalResults: 40 }),
    ),
    code: 1,
    says: /50 resources came, but totalResults is 40.*iam-incomplete/,
  },
  "a redirect": {
    misbehave: (_, response) =>
      response.writeHead(302, { location: "http://127.0.0.1:9/" }).end() !== undefined,
    code: 1,
    says: /302.*Redirects are not followed.*iam-invalid/,
    requests: 4,
  },
  "304 that nobody asked for": {
    misbehave: onUsers((response) => response.writeHead(304).end() !== undefined),
    code: 1,
    says: /304.*iam-invalid/,
  },
  "a body that never ends": {
    config: "maxPageBytes: 100000",
    misbehave: onUsers((response) => {
      const timer = setInterval(() => response.write("x".repeat(50_000)), 1);
      response.on("close", () => clearInterval(timer));
      return true;
    }),
    code: 1,
    says: /larger than 100000 bytes.*iam-too-large/,
  },
  "a body that unpacks without end": {
    config: "maxPageBytes: 100000",
    misbehave: onUsers((response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(50_000_000)));
      return true;
    }),
    code: 1,
    says: /larger than 100000 bytes.*iam-too-large/,
  },
  "a body that is not what its encoding says": {
    misbehave: onUsers(
      (response) => response.writeHead(200, { "content-encoding": "gzip" }).end("plain") !== undefined,
    ),
    code: 1,
    says: /incorrect header check.*iam-unreachable/,
  },
  "a body that drips": {
    config: "retries: 0\n  timeout: 300ms",
    misbehave: onUsers((response) => {
      const timer = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(timer));
      return true;
    }),
    code: 1,
    says: /timeout.*iam-unreachable/,
  },
  "a page that repeats behind new cursors": {
    config: "paging: cursor",
    misbehave: onUsers((response, request, iam) =>
      sendJson(response, { ...pageOf(iam, { ...request, cursor: "" }, 50), nextCursor: `c${request.nth}` }),
    ),
    code: 1,
    says: /nothing new.*iam-incomplete/,
    requests: 12,
  },
  "a cursor that loops": {
    config: "paging: cursor",
    misbehave: onUsers((response, request, iam) => {
      const start = request.nth * 10;
      return sendJson(response, {
        ...pageOf(iam, { ...request, cursor: String(start % 140) }, 10),
        nextCursor: "again",
      });
    }),
    code: 1,
    says: /came a second time.*iam-incomplete/,
    requests: 12,
  },
  "cursors that end early": {
    config: "paging: cursor",
    misbehave: onUsers((response, request, iam) => {
      const { nextCursor: _, ...page } = pageOf(iam, request, 50);
      return sendJson(response, page);
    }),
    code: 1,
    says: /50 different resources came, but totalResults is 150.*iam-incomplete/,
  },
};

let template: NodeRoot;

/** A node that is in step with the 150 users, made once and copied for every row. */
before(async () => {
  template = makeNodeRoot();
  await using iam = await startFakeIam(someUsers(USERS), [aGroup(1, ["u-1", "u-2"])]);
  template.configure(iam.url, "homes: { create: false }\n");
  const first = await template.rollcall("sync");
  assert.equal(first.code, 0, first.err);
});
after(() => template[Symbol.dispose]());

describe("an IAM with", { concurrency: 4 }, () => {
  for (const [what, row] of Object.entries(ROWS)) {
    it(`${what}: ${row.missing === undefined ? "no file changes" : "everybody else is served"}`, async () => {
      using node = makeNodeRoot();
      execFileSync("cp", ["-a", `${template.path}/.`, node.path]);
      await using iam = await startFakeIam(someUsers(USERS), [aGroup(1, ["u-1", "u-2"])], row.options);
      node.write("/etc/rollcall/rollcall.yaml", configWith(iam.url, row.config));
      row.change?.(iam);
      iam.misbehave = row.misbehave;
      const untouched = node.snapshot();

      const ran = await node.rollcall("sync");

      assert.equal(ran.code, row.code, ran.out + ran.err);
      assert.match(ran.out + ran.err, row.says);
      assert.doesNotMatch(ran.out + ran.err, new RegExp(TOKEN));
      assertServed(node, row.missing, untouched);
      assert.ok(iam.requests.length <= (row.requests ?? 40), `${iam.requests.length} requests`);
    });
  }
});

describe("asked whether anything is new, an IAM with", { concurrency: 4 }, () => {
  const longAgo = Date.now() - 24 * 3_600_000;
  const dated = (list: readonly Resource[]) =>
    list.map((record, index) => changedAt(record, longAgo - index * 60_000));
  /** A new time for whatever is another than before; none for what is no record. */
  const stamp = (list: readonly unknown[], before: readonly unknown[]) =>
    list.map((one) =>
      typeof one === "object" && one !== null && !before.includes(one)
        ? changedAt(one as Resource, Date.now())
        : one,
    );

  for (const [what, row] of Object.entries(ROWS)) {
    it(`${what}: hides no change that its totals or times show`, async () => {
      using node = makeNodeRoot();
      const users = dated(someUsers(USERS));
      const groups = dated([aGroup(1, ["u-1", "u-2"])]);
      await using iam = await startFakeIam([...users], [...groups], { ...row.options, filters: true });
      node.write("/etc/rollcall/rollcall.yaml", configWith(iam.url, row.config));
      const asker = await createAsker(node);
      await asker.sync();
      const asking = await asker.settle();
      assert.notEqual(asking.marks, undefined);
      row.change?.(iam);
      iam.users = stamp(iam.users, users);
      iam.groups = stamp(iam.groups, groups);
      iam.misbehave = row.misbehave;

      const isUnchanged = await asker.isUnchanged(asking);

      const isShown =
        iam.token !== TOKEN ||
        JSON.stringify([iam.users, iam.groups].map(shownOf)) !== JSON.stringify([users, groups].map(shownOf));
      assert.ok(!(isUnchanged && isShown));
    });
  }

  /** Of a list, the total and the times. */
  const shownOf = (list: readonly unknown[]) => [
    list.length,
    list.flatMap((one) => (one as Resource | null)?.["meta"] ?? []),
  ];
});

describe("a server that repeats the token where a quotation is cut", () => {
  const said = `${"x".repeat(48)}${TOKEN}`;
  const answers: Readonly<Record<string, Misbehave>> = {
    "an error": (_, response) => sendError(response, 403, said),
    "an error with 200": (_, response) => sendError(response, 200, said),
    "a page": (_, response) => response.end(`<p>${said}`) !== undefined,
    "a redirect": (_, response) => response.writeHead(302, { location: said }).end() !== undefined,
  };
  for (const [what, misbehave] of Object.entries(answers)) {
    it(`in ${what}: no part of it is printed`, async () => {
      using node = makeNodeRoot();
      await using iam = await startFakeIam(someUsers(USERS), []);
      node.configure(iam.url);
      iam.misbehave = misbehave;

      const ran = await node.rollcall("sync");

      assert.equal(ran.code, 1);
      assert.match(ran.err, /x{40}/);
      assert.ok(!ran.err.includes(TOKEN.slice(0, 6)), ran.err);
    });
  }
});

function configWith(url: string, iamLines = ""): string {
  const text = `${configFor(url)}homes: { create: false }\n`;
  const keys = iamLines.split("\n").map((line) => line.trim().split(":")[0] ?? "");
  const kept = text
    .split("\n")
    .filter((line) => !keys.includes(line.trim().split(":")[0] ?? "") || line.trim() === "");
  return kept.join("\n").replace("iam:\n", iamLines === "" ? "iam:\n" : `iam:\n  ${iamLines}\n`);
}

/** Twenty pages of two hundred users, eight of them in flight. */
function configureManyPages(node: NodeRoot, iam: FakeIam): void {
  node.write("/etc/rollcall/token", TOKEN, 0o600);
  node.write(
    "/etc/rollcall/rollcall.yaml",
    configWith(iam.url, "parallel: 8").replace("pageSize: 50", "pageSize: 10"),
  );
}

function assertServed(
  node: NodeRoot,
  missing: readonly string[] | undefined,
  untouched: Record<string, string>,
): void {
  if (missing === undefined) {
    assert.deepEqual(node.snapshot(), untouched);
    return;
  }
  const names = (node.read("/etc/passwd.cache") ?? "")
    .split("\n")
    .flatMap((line) => line.split(":")[0] || []);
  const expected = someUsers(USERS).map((user) => String(user["userName"]));
  assert.deepEqual(names, expected.filter((name) => !missing.includes(name)).sort());
  const everything = Object.values(node.snapshot("/etc")).join("\n");
  assert.doesNotMatch(everything, /^root2|command=/m);
  assert.ok(!everything.includes(aKey(666).slice(0, 60)));
}

describe("an IAM that is not there", () => {
  it("leaves the node as it is and says what was tried", async () => {
    using node = makeNodeRoot();
    node.configure("http://127.0.0.1:1/scim");
    const untouched = node.snapshot();

    const ran: Ran = await node.rollcall("sync");

    assert.equal(ran.code, 1);
    assert.match(
      ran.err,
      /Fetching (?:Users|Groups) from http:\/\/127.0.0.1:1\/scim.*ECONNREFUSED.*nothing was changed.*iam-unreachable/,
    );
    assert.deepEqual(node.snapshot(), untouched);
  });
});

describe("a server that says late how it wants to be asked", () => {
  for (const defaultPaginationMethod of ["index", "cursor"]) {
    it(`is asked for the first pages alone until then, and for the others by ${defaultPaginationMethod}`, async () => {
      using node = makeNodeRoot();
      await using iam = await startFakeIam(someUsers(120), [aGroup(1, ["u-1"])]);
      node.configure(iam.url, "homes: { create: false }\n");
      const isByCursor = defaultPaginationMethod === "cursor";
      const early: string[] = [];
      iam.misbehave = ({ list, cursor }, response) => {
        if (list !== "ServiceProviderConfig") {
          // Whatever is not wanted any more waits for ever.
          return isByCursor && cursor === undefined;
        }
        setTimeout(() => {
          early.push(...iam.requests.map((request) => `${request.list} ${request.startIndex}`));
          sendJson(response, { pagination: { cursor: true, index: true, defaultPaginationMethod } });
        }, 300);
        return true;
      };

      const ran = await node.rollcall("sync", "--json");

      assert.equal(ran.code, 0, ran.err);
      assert.deepEqual(early.sort(), ["Groups 1", "ServiceProviderConfig 1", "Users 1"]);
      const later = iam.requests.slice(early.length).filter(({ list }) => list === "Users");
      assert.equal(later.length, isByCursor ? 3 : 2);
      assert.ok(later.every(({ cursor }) => (cursor !== undefined) === isByCursor));
      assert.equal(node.read("/etc/passwd.cache")?.match(/^user/gm)?.length, 120);
      const { pull }: RunRecord = JSON.parse(ran.out);
      assert.equal(pull.requests, iam.requests.length);
      assert.deepEqual(pull.statuses, isByCursor ? { 200: 5, "given-up": 2 } : { 200: 5 });
    });
  }
});

describe("a list that changes while it is fetched", () => {
  it("costs nobody who is in it: an absence counts when it was seen twice", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(200), []);
    node.configure(iam.url, "homes: { create: false }\n");
    await node.rollcall("sync");
    let swaps = 0;
    iam.misbehave = (request, response) => {
      if (request.list === "Users" && request.startIndex === 1 && swaps === 0) {
        swaps += 1;
        response.on("finish", () => {
          iam.users = [...iam.users.slice(1), aUser(999)];
        });
      }
      return false;
    };

    const ran = await node.rollcall("sync");

    assert.equal(ran.code, 0, ran.err);
    const names = (node.read("/etc/passwd.cache") ?? "").match(/^\w+/gm) ?? [];
    const expected = [...someUsers(200).slice(1), aUser(999)].map((user) => String(user["userName"]));
    assert.deepEqual(names, expected.sort());
    assert.equal(swaps, 1);
  });

  it("in pages that are asked for side by side costs nobody either, while people come and go", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(200), []);
    configureManyPages(node, iam);
    await node.rollcall("sync");
    const stayed = new Set(someUsers(200).map((user) => String(user["userName"])));
    let answers = 0;
    iam.misbehave = (request, response) => {
      // The first goes and another comes last: each page skips somebody, and yet nobody comes twice and the totals agree.
      if (request.list === "Users" && answers < 30) {
        answers += 1;
        const newcomer = aUser(900 + answers);
        response.on("finish", () => {
          const [gone] = iam.users.splice(0, 1) as Resource[];
          stayed.delete(String(gone?.["userName"]));
          iam.users.push(newcomer);
        });
      }
      return false;
    };

    const ran = await node.rollcall("sync");

    const names = new Set((node.read("/etc/passwd.cache") ?? "").match(/^\w+/gm));
    assert.equal(answers, 30);
    assert.deepEqual([...stayed.difference(names)], [], ran.out + ran.err);
    assert.ok(ran.code === 0 || /iam-incomplete/.test(ran.err), ran.err);
  });

  it("with every pull changes nothing, and says so", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(200), []);
    node.configure(iam.url, "homes: { create: false }\n");
    await node.rollcall("sync");
    const untouched = node.snapshot();
    let next = 1000;
    iam.misbehave = (request, response) => {
      if (request.list === "Users" && request.startIndex === 1) {
        response.on("finish", () => {
          next += 1;
          iam.users = [...iam.users.slice(1), aUser(next)];
        });
      }
      return false;
    };

    const ran = await node.rollcall("sync");

    assert.equal(ran.code, 1);
    assert.match(ran.err, /changed with each of 4 pulls.*iam-incomplete/);
    assert.deepEqual(node.snapshot(), untouched);
  });
});

describe("conditional requests", () => {
  it("end a run after the requests when every page is unchanged", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(120), [aGroup(1, ["u-1"])], { etags: true });
    node.configure(iam.url);
    await node.rollcall("sync");
    iam.requests.length = 0;

    const ran = await node.rollcall("sync");

    assert.match(ran.out, /nothing new at the IAM/);
    assert.deepEqual(iam.requests.map(({ list }) => list).sort(), ["Groups", "Users", "Users", "Users"]);
    assert.ok(iam.requests.every(({ headers }) => headers["if-none-match"] !== undefined));
  });

  it("fetch the one page that has changed, and the next sync finds nothing new", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(280), [aGroup(1, ["u-1"])], { etags: true });
    node.configure(iam.url);
    await node.rollcall("sync");
    iam.users = iam.users.with(219, aUser(220, { gecos: "Changed" }));

    const ran = await node.rollcall("sync", "--json");
    const again = await node.rollcall("sync");

    const record: RunRecord = JSON.parse(ran.out);
    assert.deepEqual(record.pull.statuses, { 200: 1, 304: 6 });
    assert.deepEqual(record.changes, [
      { event: "user-changed", user: "user220", field: "gecos", before: "User Number 220", after: "Changed" },
    ]);
    assert.match(again.out, /nothing new at the IAM/);
    assert.match(node.read("/etc/passwd.cache") ?? "", /^user220:.*:Changed:/m);
  });

  it("tell the pages of both lists apart where they have one path", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(3), [aGroup(1, ["u-1"]), aGroup(2), aGroup(3)], {});
    iam.misbehave = (request, response) => {
      const list = request.query.get("type");
      if (list === null) {
        return false;
      }
      const body = JSON.stringify(pageOf(iam, { ...request, list }));
      const etag = `"${createHash("sha256").update(body).digest("hex")}"`;
      const isKnown = request.headers["if-none-match"] === etag;
      response.writeHead(isKnown ? 304 : 200, { "content-type": "application/scim+json", etag });
      response.end(isKnown ? "" : body);
      return true;
    };
    const lists = (["Users", "Groups"] as const).map(
      (list) => `  ${list.toLowerCase()}: { path: Records, query: "type=${list}" }\n`,
    );
    node.write(
      "/etc/rollcall/rollcall.yaml",
      configFor(iam.url).replace("attributes:\n", `${lists.join("")}attributes:\n`),
    );
    await node.rollcall("sync");
    iam.groups = [aGroup(1, ["u-1", "u-2"]), aGroup(2), aGroup(3)];

    const ran = await node.rollcall("sync", "--json");

    const { changes, pull }: RunRecord = JSON.parse(ran.out);
    assert.deepEqual(changes, [{ event: "member-added", group: "group1", user: "user2" }]);
    assert.deepEqual(pull.statuses, { 200: 1, 304: 1 });
  });

  for (const [what, after, outcome] of [
    ["somebody came", someUsers(281), /Served: 281 users/],
    ["somebody left", someUsers(280).toSpliced(100, 1), /Served: 279 users/],
    ["one left and another came", [...someUsers(280).toSpliced(100, 1), aUser(500)], /- user +user101\b/],
    ["most pages are others", someUsers(280).map((_, nth) => aUser(nth + 1, { gecos: "New" })), /gecos/],
    ["a record has lost its id", someUsers(280).with(100, { ...aUser(101), id: null }), /Served: 279 users/],
    ["a record is there twice", someUsers(280).with(100, aUser(1)), /different resources came/],
  ] as const) {
    it(`fetch everything again when ${what}`, async () => {
      using node = makeNodeRoot();
      await using iam = await startFakeIam(someUsers(280), [aGroup(1, ["u-1"])], { etags: true });
      node.configure(iam.url, "homes: { create: false }\n");
      await node.rollcall("sync");
      iam.users = [...after];

      const ran = await node.rollcall("sync");

      assert.match(ran.out + ran.err, outcome);
    });
  }

  it("fetch everything again when the page that has changed tells of another total", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(280), [], { etags: true });
    node.configure(iam.url, "homes: { create: false }\n");
    await node.rollcall("sync");
    iam.users = iam.users.with(219, aUser(220, { gecos: "Changed" }));
    iam.requests.length = 0;
    iam.misbehave = (request, response) =>
      request.startIndex === 201 &&
      request.headers["if-none-match"] !== undefined &&
      sendJson(response, { ...pageOf(iam, request), totalResults: 281 });

    const ran = await node.rollcall("sync");

    assert.match(ran.out, /user220 +gecos/);
    assert.ok(iam.requests.some(({ headers }) => headers["if-none-match"] === undefined));
  });

  it("still put back what was changed by hand on the node", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(3), [], { etags: true });
    node.configure(iam.url);
    await node.rollcall("sync");
    const good = node.read("/etc/passwd.cache");
    node.write("/etc/passwd.cache", "evil:x:0:0::/:/bin/sh\n");

    const ran = await node.rollcall("sync");

    assert.equal(ran.code, 0, ran.err);
    assert.equal(node.read("/etc/passwd.cache"), good);
  });

  it("that the server declines lead to a full pull", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(120), [], { etags: true });
    node.configure(iam.url);
    await node.rollcall("sync");
    iam.users = someUsers(99);
    iam.misbehave = (request, response) =>
      request.startIndex > 99 && sendError(response, 400, "startIndex is too large");

    const ran = await node.rollcall("sync");

    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /Served: 99 users/);
  });

  it("are not made of a memory that others can write, or that has no ETag", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(3), [], { etags: true });
    node.configure(iam.url);
    await node.rollcall("sync");
    const marks = JSON.parse(node.read("/var/lib/rollcall/etags.json") ?? "");
    const [heading, users] = (node.read("/var/lib/rollcall/iam.json") ?? "").split("\n").map(parsed);
    const lines = [{ ...heading, users: 2 }, users.slice(1)]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join("");
    const digest = createHash("sha256").update(lines).digest("hex");
    const forged = `${lines}${JSON.stringify({ digest })}\n`;
    const forge = (
      etags: Record<string, string>,
      { iam: iamMode, marks: marksMode }: Record<string, number>,
    ) => {
      node.write("/var/lib/rollcall/iam.json", forged, iamMode);
      node.write("/var/lib/rollcall/etags.json", JSON.stringify({ ...marks, digest, etags }), marksMode);
    };

    forge(marks.etags, { iam: 0o600, marks: 0o600 });
    const believed = await node.rollcall("plan");
    forge({}, { iam: 0o600, marks: 0o600 });
    const withoutEtags = await node.rollcall("plan");
    forge(marks.etags, { iam: 0o666, marks: 0o600 });
    const openLists = await node.rollcall("plan");
    forge(marks.etags, { iam: 0o600, marks: 0o666 });
    const openMarks = await node.rollcall("plan");
    forge(marks.etags, { iam: 0o600, marks: 0o600 });
    node.write("/var/lib/rollcall/iam.json", forged.replace("user2", "userX"), 0o600);
    const torn = await node.rollcall("plan");
    forge(marks.etags, { iam: 0o600, marks: 0o600 });
    chmodSync(`${node.path}/var/lib/rollcall`, 0o777);
    const openDirectory = await node.rollcall("plan");

    assert.match(believed.out, /- user .*user1/, "a memory that nobody else can write is believed");
    for (const ran of [withoutEtags, openLists, openMarks, torn]) {
      assert.match(ran.out, /Nothing to do/);
    }
    assert.match(openDirectory.out, /^Changes:\nWrites: ledger\n$/, "nor is the ledger in there");
  });

  it("are not trusted after the configuration changed", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(3), [], { etags: true });
    node.configure(iam.url);
    await node.rollcall("sync");
    const config = node.read("/etc/rollcall/rollcall.yaml") ?? "";
    node.write(
      "/etc/rollcall/rollcall.yaml",
      config.replace("attributes:\n  user:\n", "attributes:\n  user:\n    gecos: userName\n"),
    );

    const ran = await node.rollcall("sync");

    assert.match(ran.out, /user1 +gecos "User Number 1" → "user1"/);
  });
});

describe("the token", () => {
  it("is read again when the IAM refuses the one in use", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(3), []);
    node.configure(iam.url);
    iam.token = "rotated-token";
    iam.misbehave = (request) => {
      if (request.nth === 0) {
        node.write("/etc/rollcall/token", "rotated-token", 0o600);
      }
      return false;
    };

    const ran = await node.rollcall("sync");

    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /Served: 3 users/);
  });

  it("is read again when it is renewed while many pages are in flight", async () => {
    using node = makeNodeRoot();
    await using iam = await startFakeIam(someUsers(200), []);
    configureManyPages(node, iam);
    iam.misbehave = (request) => {
      if (request.list === "Users" && request.startIndex > 1 && iam.token === TOKEN) {
        iam.token = "rotated-token";
        node.write("/etc/rollcall/token", iam.token, 0o600);
      }
      return false;
    };

    const ran = await node.rollcall("sync");

    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /Served: 200 users/);
  });
});
