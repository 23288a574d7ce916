/**
 * The least that a sync can cost: every page of both lists fetched once over as many connections, and parsed.
 *
 * In: the address of the service, the page size, and the requests in flight. Out: nothing; what it took is measured from outside.
 */

import { Agent } from "undici";

const [url = "", pageSize = "100", parallel = "8"] = process.argv.slice(2);
const agent = new Agent({ connections: Number(parallel) });
const { origin, pathname } = new URL(url);

async function fetchPage(list: string, start: number): Promise<number> {
  const path = `${pathname}/${list}?startIndex=${start}&count=${pageSize}`;
  const { body } = await agent.request({ origin, path, method: "GET" });
  const page: { readonly totalResults: number } = JSON.parse(await body.text());
  return page.totalResults;
}

async function fetchList(list: string): Promise<void> {
  const total = await fetchPage(list, 1);
  let next = 1 + Number(pageSize);
  const inTurn = async () => {
    while (next <= total) {
      const start = next;
      next += Number(pageSize);
      await fetchPage(list, start);
    }
  };
  await Promise.all(Array.from({ length: Number(parallel) }, inTurn));
}

await Promise.all([fetchList("Users"), fetchList("Groups")]);
await agent.close();
